using System.Net;
using System.Net.Sockets;
using AdderNet.Coordinator.Silos.Storage;
using AdderNet.Coordinator.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;

namespace AdderNet.Coordinator.Silos;

/// <summary>Puts a silo together.</summary>
internal static class SiloBuilding
{
    private const string ServiceId = "addernet";

    /// <param name="options">What the coordinator was started with.</param>
    /// <param name="services">What grains share.</param>
    /// <param name="database">Where clusters keep silos and states of grains.</param>
    /// <param name="fatality">Told when the silo cannot go on.</param>
    /// <param name="loggers">Where to log.</param>
    public static IHost Build(CoordinatorOptions options, SiloServices services, IStoreDatabase database, SiloFatality fatality, ILoggerFactory loggers)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(services);
        var endpoint = options.Silo ?? new IPEndPoint(IPAddress.Loopback, 0);
        if (endpoint.Port == 0)
            endpoint = new IPEndPoint(endpoint.Address, FreePort());
        builder.UseOrleans(silo =>
        {
            if (StoreAddress.IsShared(options.Store))
            {
                silo.Services.AddSingleton<IMembershipTable>(new StoreMembershipTable(database));
                silo.Services.AddGrainStorage(SiloServices.GrainStates, (_, _) => new StoreGrainStorage(database));
            }
            else
            {
                silo.UseLocalhostClustering(endpoint.Port, EndpointOptions.DEFAULT_GATEWAY_PORT);
                silo.AddMemoryGrainStorage(SiloServices.GrainStates);
            }

            silo.Services.AddSingleton<IFatalErrorHandler>(fatality);
            silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.Cluster, ServiceId));
            silo.Configure<EndpointOptions>(ends =>
            {
                (ends.AdvertisedIPAddress, ends.SiloPort, ends.GatewayPort) = (endpoint.Address, endpoint.Port, 0);
                ends.SiloListeningEndpoint = endpoint;
            });
            silo.Configure<ClusterMembershipOptions>(members => Liveness(members, options.StoreLease));
            silo.Configure<ExceptionSerializationOptions>(exceptions => exceptions.SupportedNamespacePrefixes.Add("AdderNet"));
        });
        return builder.Build();
    }

    /// <summary>
    /// A silo that vanished is given up in about as long as its leases last: runs move neither before they are free nor long
    /// after.
    /// </summary>
    private static void Liveness(ClusterMembershipOptions members, TimeSpan lease)
    {
        members.ProbeTimeout = lease / 5;
        members.NumMissedProbesLimit = 3;
        members.TableRefreshTimeout = lease;
        members.IAmAliveTablePublishTimeout = lease / 2;
        members.NumMissedTableIAmAliveLimit = 3;
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    /// <summary>The coordinator's command, not the silo, hears signals.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

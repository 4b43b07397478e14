using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class TlsTests
{
    private static readonly X509Certificate2 Authority = CreateAuthority("addernet test authority");
    private static readonly X509Certificate2 Stranger = CreateAuthority("a stranger");

    [Fact]
    public async Task Https_carries_calls_and_plain_routes_and_the_client_certificate_reaches_the_handler()
    {
        await using RpcFixture rpc = await StartAsync(Issue(Authority, "worker-7"), clientRoots: [Authority]);

        Assert.Equal(Messages.Of(5), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(5)));
        Assert.Equal("CN=worker-7", rpc.Echo.Last!.ClientCertificate!.Subject);
        Assert.Equal(Uri.UriSchemeHttps, rpc.Server.Address.Scheme);
    }

    [Fact]
    public async Task Https_without_client_certificates_asks_for_none()
    {
        await using RpcFixture rpc = await StartAsync(clientCertificate: null, clientRoots: null);
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } };
        using var http = new HttpClient(handler);

        Assert.Equal(Messages.OfSize(100_000), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.OfSize(100_000)));
        Assert.Null(rpc.Echo.Last!.ClientCertificate);
        Assert.Equal("ok", await http.GetStringAsync(new Uri(rpc.Server.Address, "/healthz")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_without_a_trusted_certificate_is_turned_away(bool stranger)
    {
        await using RpcFixture rpc = await StartAsync(stranger ? Issue(Stranger, "worker-7") : null, clientRoots: [Authority]);

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(5)));

        Assert.Equal(RpcStatusCode.Unavailable, refused.Code);
        Assert.Null(rpc.Echo.Last);
    }

    [Fact]
    public async Task A_server_of_an_unknown_authority_is_not_trusted()
    {
        await using RpcFixture rpc = await StartAsync(clientCertificate: null, clientRoots: null, trusted: Stranger);

        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(5)));

        Assert.Equal(RpcStatusCode.Unavailable, refused.Code);
        Assert.StartsWith("cannot reach https://127.0.0.1:", refused.Detail);
    }

    private static Task<RpcFixture> StartAsync(X509Certificate2? clientCertificate, X509Certificate2Collection? clientRoots, X509Certificate2? trusted = null)
        => RpcFixture.StartAsync(
            o => o with { Listen = new Uri("https://127.0.0.1:0"), Certificate = Issue(Authority, "server"), ClientRoots = clientRoots },
            new RpcChannelOptions { TrustedRoots = [trusted ?? Authority], ClientCertificate = clientCertificate });

    private static X509Certificate2 CreateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 signed = request.Create(authority, now.AddHours(-1), now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}

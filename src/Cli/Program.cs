using AdderNet.Cli.CommandLine;
using AdderNet.Protos.Rpc;

TransportBuffers.KeepForReuse();
return await AdderNetCommand.RunAsync(args).ConfigureAwait(false);

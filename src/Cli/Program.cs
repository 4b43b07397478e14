using AdderNet.Cli.CommandLine;

return await AdderNetCommand.RunAsync(args).ConfigureAwait(false);

using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AdderNet.Protos.Rpc;

/// <summary>The share of one cleartext port that speaks one HTTP version.</summary>
internal sealed class SplitEndPoint(IPEndPoint port, HttpProtocols protocol) : EndPoint
{
    public HttpProtocols Protocol { get; } = protocol;

    public override string ToString() => $"http://{port} ({Protocol})";
}

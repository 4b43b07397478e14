using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace AdderNet.Protos.Rpc;

/// <summary>A status as headers.</summary>
internal static class GrpcStatus
{
    public static void Write(IHeaderDictionary headers, RpcStatusCode code, string detail)
    {
        headers[GrpcHeader.Status] = ((int)code).ToString(CultureInfo.InvariantCulture);
        if (detail.Length > 0)
            headers[GrpcHeader.Message] = PercentEncoding.Encode(detail);
    }
}

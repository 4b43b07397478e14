using System.Security.Cryptography.X509Certificates;

namespace AdderNet.Protos.Rpc;

/// <summary>Trust in given roots and no others.</summary>
internal static class CertificateTrust
{
    /// <summary>Revocation is not asked for: a cluster's own authority has no service that could answer.</summary>
    public static X509ChainPolicy To(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }
}

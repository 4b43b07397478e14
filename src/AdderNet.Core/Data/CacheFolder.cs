namespace AdderNet.Core.Data;

/// <summary>The user's folder for what can be made or fetched again.</summary>
public static class CacheFolder
{
    /// <summary>Names the folder; children of a command keep it.</summary>
    public const string Variable = "ADDERNET_CACHE";

    /// <summary><c>ADDERNET_CACHE</c>, else <c>XDG_CACHE_HOME/addernet</c>, else <c>~/.cache/addernet</c>; it need not exist.</summary>
    public static string Path
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } cache)
                return cache;
            var user = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (string.IsNullOrEmpty(user))
                user = System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return System.IO.Path.Combine(user, "addernet");
        }
    }
}

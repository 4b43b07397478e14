using System.Diagnostics;
using AdderNet.Core.Checkpoints;
using Xunit;

namespace AdderNet.Core.Tests.Checkpoints;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_write_that_fails_midway_leaves_the_old_file_and_no_temporary_one()
    {
        var path = directory.Write("state.safetensors", [1, 2, 3]);
        Assert.Throws<IOException>(() => AtomicFile.Write(path, "w1", stream =>
        {
            stream.Write(new byte[3_000_000]);
            throw new IOException("the cable was pulled");
        }));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(directory.Path));
    }

    [SkippableFact]
    public void A_full_disk_leaves_the_old_file_and_no_temporary_one()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounting a small disk needs root on Linux");
        var disk = directory.File("disk");
        Directory.CreateDirectory(disk);
        Skip.IfNot(Run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk), "this machine does not let a test mount a disk");
        try
        {
            var path = Path.Combine(disk, "state.safetensors");
            AtomicFile.Write(path, "w1", stream => stream.Write(new byte[100_000]));
            foreach (var size in new[] { 200_000, 3_000_000 })
            {
                Assert.Throws<IOException>(() => AtomicFile.Write(path, "w1", stream => stream.Write(new byte[size])));
                Assert.Equal(100_000, new FileInfo(path).Length);
                Assert.Equal([path], Directory.GetFileSystemEntries(disk));
            }
        }
        finally
        {
            Assert.True(Run("umount", disk));
        }
    }

    [Fact]
    public void What_a_killed_writer_left_behind_goes_with_the_next_write()
    {
        var leftover = directory.Write(".state.safetensors.w1.tmp", [1]);
        var other = directory.Write(".final.safetensors.w1.tmp", [1]);
        AtomicFile.Write(directory.File("state.safetensors"), "w2", stream => stream.WriteByte(2));
        Assert.False(File.Exists(leftover));
        Assert.True(File.Exists(other));
    }

    [Fact]
    public void The_saved_file_says_its_length_and_hash()
    {
        var saved = AtomicFile.Write(directory.File("new/folder/a"), "w1", stream => stream.Write("abc"u8));
        // The SHA-256 of "abc" as FIPS 180-2 prints it.
        Assert.Equal(("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3), (saved.Sha256, saved.Bytes));
        Assert.Equal("abc", File.ReadAllText(saved.Path));
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

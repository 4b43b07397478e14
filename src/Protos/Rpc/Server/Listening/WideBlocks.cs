using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// The memory through which a server's bytes pass. Kestrel's own blocks have 4 KiB: a large message is then hundreds of them, and a write to the
/// socket takes heap memory for as many descriptors as it takes from more than eight blocks. Blocks are pinned and come back as soon as what
/// they hold was taken; an idle connection holds none.
/// </summary>
internal sealed class WideBlocks : IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 64 * 1024;

    /// <summary>Blocks that a pool keeps for reuse; more are left to the garbage collector.</summary>
    private const int MostKept = 256;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new Pool();

    private sealed class Pool : MemoryPool<byte>
    {
        private readonly Lock _gate = new();
        private readonly Stack<Block> _free = new(MostKept);

        public override int MaxBufferSize => BlockBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
            lock (_gate)
            {
                if (_free.TryPop(out Block? block))
                    return block;
            }
            return new Block(this);
        }

        protected override void Dispose(bool disposing)
        {
            // Blocks that are out come back to nobody; the garbage collector has them all.
        }

        private void Return(Block block)
        {
            lock (_gate)
            {
                if (_free.Count < MostKept)
                    _free.Push(block);
            }
        }

        private sealed class Block(Pool pool) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

            public void Dispose() => pool.Return(this);
        }
    }
}

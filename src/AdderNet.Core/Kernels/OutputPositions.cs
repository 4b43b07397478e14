namespace AdderNet.Core.Kernels;

/// <summary>One output position of a batch.</summary>
internal readonly record struct OutputPosition(int Index, int N, int Row, int Column);

/// <summary>Enumerates output positions in their order of summation: (n, row, column).</summary>
internal struct OutputPositions(ConvolutionShape shape)
{
    private int index = -1;

    public readonly OutputPosition Current
    {
        get
        {
            var row = index / shape.OutWidth;
            return new OutputPosition(index, row / shape.OutHeight, row % shape.OutHeight, index % shape.OutWidth);
        }
    }

    public readonly OutputPositions GetEnumerator() => this;

    public bool MoveNext() => ++index < shape.Positions;
}

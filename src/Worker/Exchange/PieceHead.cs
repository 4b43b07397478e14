using System.Buffers;
using AdderNet.Core.Sharding;
using Fields = AdderNet.Worker.Exchange.PieceWriter.Fields;

namespace AdderNet.Worker.Exchange;

/// <summary>The fields of one <c>Piece</c> message; the payload where it lies.</summary>
internal ref struct PieceHead
{
    private bool isRun;
    private ulong generation;
    private ulong step;
    private ulong kind;
    private ulong index;

    public ulong Level { get; private set; }

    public ulong Node { get; private set; }

    public ulong Offset { get; private set; }

    public ulong NodeBytes { get; private set; }

    public bool Last { get; private set; }

    public StepCounts Counts { get; private set; }

    public ReadOnlySequence<byte> Payload { get; private set; }

    public readonly bool IsOf(PieceId id) =>
        isRun && generation == (ulong)id.Generation && step == (ulong)id.Step && kind == (ulong)PieceWire.Kind(id.Sort) && index == (ulong)id.Index;

    public void Parse(in ReadOnlySequence<byte> message, ReadOnlySpan<byte> run)
    {
        isRun = run.IsEmpty;
        var fields = new WireFieldReader(message);
        while (fields.Next() is > 0 and var number)
        {
            if (number == Fields.Payload)
                Payload = fields.Slice();
            else
                ParseField(ref fields, number, run);
        }
    }

    /// <summary>Parses all but the payload, where that comes last.</summary>
    /// <param name="start">The message's first bytes.</param>
    /// <param name="length">Bytes of the whole message.</param>
    /// <param name="run">The run whose piece is expected.</param>
    /// <param name="head">Bytes before the payload's.</param>
    public bool TryParseHead(in ReadOnlySequence<byte> start, int length, ReadOnlySpan<byte> run, out int head)
    {
        isRun = run.IsEmpty;
        var fields = new WireFieldReader(start);
        try
        {
            while (fields.Next() is > 0 and var number)
            {
                if (number == Fields.Payload)
                    return fields.IsTail(length, out head);
                ParseField(ref fields, number, run);
            }
        }
        catch (FormatException)
        {
            // More of it may be needed to make sense; read as a whole, it is judged as a whole.
        }

        head = 0;
        return false;
    }

    private void ParseField(ref WireFieldReader fields, int number, ReadOnlySpan<byte> run)
    {
        switch (number)
        {
            case Fields.Key:
                ParseKey(fields.Slice(), run);
                break;
            case Fields.Level:
                Level = fields.Number();
                break;
            case Fields.Node:
                Node = fields.Number();
                break;
            case Fields.Offset:
                Offset = fields.Number();
                break;
            case Fields.Counts:
                ParseCounts(fields.Slice());
                break;
            case Fields.NodeBytes:
                NodeBytes = fields.Number();
                break;
            case Fields.Last:
                Last = fields.Number() != 0;
                break;
            default:
                fields.Skip();
                break;
        }
    }

    private void ParseKey(ReadOnlySequence<byte> key, ReadOnlySpan<byte> run)
    {
        var fields = new WireFieldReader(key);
        while (fields.Next() is > 0 and var number)
        {
            switch (number)
            {
                case Fields.RunId:
                    var reader = new SequenceReader<byte>(fields.Slice());
                    isRun = reader.Length == run.Length && reader.IsNext(run);
                    break;
                case Fields.Generation:
                    generation = fields.Number();
                    break;
                case Fields.Step:
                    step = fields.Number();
                    break;
                case Fields.Kind:
                    kind = fields.Number();
                    break;
                case Fields.Index:
                    index = fields.Number();
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }
    }

    private void ParseCounts(ReadOnlySequence<byte> message)
    {
        var fields = new WireFieldReader(message);
        while (fields.Next() is > 0 and var number)
        {
            switch (number)
            {
                case Fields.Samples:
                    Counts = Counts with { Samples = (long)fields.Number() };
                    break;
                case Fields.Correct:
                    Counts = Counts with { Correct = (long)fields.Number() };
                    break;
                case Fields.FirstNonFinite:
                    Counts = Counts with { FirstNonFinite = (long)fields.Number() };
                    break;
                default:
                    fields.Skip();
                    break;
            }
        }
    }
}

using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Google.Protobuf.Reflection;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class WireFormTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text", "plain text")]
    [InlineData("100 %", "100 %25")]
    [InlineData("año\n€😀", "a%C3%B1o%0A%E2%82%AC%F0%9F%98%80")]
    [InlineData(" ends ", "%20ends%20")]
    public void A_status_message_is_percent_encoded_and_comes_back(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("100%", "100%")]
    [InlineData("%zz%4", "%zz%4")]
    [InlineData("%41%", "A%")]
    [InlineData("%FF", "\uFFFD")]
    public void A_badly_encoded_message_is_shown_as_well_as_it_can_be(string encoded, string text)
        => Assert.Equal(text, PercentEncoding.Decode(encoded));

    [Fact]
    public void A_message_too_long_for_a_header_is_cut_between_characters()
    {
        string encoded = PercentEncoding.Encode(string.Concat(Enumerable.Repeat("€", 5000)));

        Assert.InRange(encoded.Length, 5900, PercentEncoding.MaxEncodedLength);
        Assert.Matches("^€+$", PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData(0, "0u")]
    [InlineData(1, "1u")] // a tick is 100 ns: rounded up
    [InlineData(TimeSpan.TicksPerSecond, "1000000u")]
    [InlineData(TimeSpan.TicksPerMinute * 2, "120000m")]
    [InlineData(TimeSpan.TicksPerDay * 40, "3456000S")]
    public void A_deadline_is_written_in_the_finest_unit_that_fits(long ticks, string expected)
        => Assert.Equal(expected, GrpcTimeout.Format(TimeSpan.FromTicks(ticks)));

    [Theory]
    [InlineData("150n", 2)]
    [InlineData("7u", 70)]
    [InlineData("250m", 2_500_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("2M", TimeSpan.TicksPerMinute * 2)]
    [InlineData("99999999H", TimeSpan.TicksPerHour * 99_999_999)]
    public void A_deadline_is_read_in_every_unit(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out TimeSpan timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Fact]
    public void The_methods_are_those_of_the_contracts()
    {
        AssertMatches(CoordinationReflection.Descriptor.Services.Single(), typeof(CoordinationMethods));
        AssertMatches(GradientExchangeReflection.Descriptor.Services.Single(), typeof(GradientExchangeMethods));
        AssertMatches(StateTransferReflection.Descriptor.Services.Single(), typeof(StateTransferMethods));
    }

    private static void AssertMatches(ServiceDescriptor contract, Type methods)
    {
        dynamic[] described = [.. methods.GetFields().Where(f => !f.IsLiteral).Select(f => f.GetValue(null)!)];
        IEnumerable<string> expected = contract.Methods.Select(m =>
            $"/{contract.FullName}/{m.Name} {KindOf(m)} {m.InputType.ClrType.Name} {m.OutputType.ClrType.Name}");
        Assert.Equal(expected.Order(), described.Select(m =>
        {
            Type[] types = ((object)m).GetType().GetGenericArguments();
            return $"{m.Path} {m.Kind} {types[0].Name} {types[1].Name}";
        }).Order());
    }

    private static RpcKind KindOf(MethodDescriptor method) => (method.IsClientStreaming, method.IsServerStreaming) switch
    {
        (false, false) => RpcKind.Unary,
        (true, false) => RpcKind.ClientStreaming,
        (false, true) => RpcKind.ServerStreaming,
        (true, true) => RpcKind.Duplex,
    };
}

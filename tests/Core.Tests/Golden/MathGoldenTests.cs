using AdderNet.Core.Numerics;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

public class MathGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("exp")]
    [InlineData("log")]
    [InlineData("cos")]
    public void Our_functions_lie_within_one_unit_in_the_last_place_of_120_digit_values(string function)
    {
        var golden = GoldenFile.Open("math");
        var (x, value, rest) = (golden.Doubles($"{function}.x"), golden.Doubles($"{function}.value"), golden.Floats($"{function}.rest"));
        double worst = 0, at = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var ours = function switch
            {
                "exp" => DeterministicMath.Exp(x[i]),
                "log" => DeterministicMath.Log(x[i]),
                _ => DeterministicMath.Cos(x[i]),
            };
            var ulp = Math.BitIncrement(Math.Abs(value[i])) - Math.Abs(value[i]);
            var error = Math.Abs((ours - value[i]) / ulp - rest[i]);
            if (!(error <= worst))
                (worst, at) = (error, x[i]);
        }

        output.WriteLine($"{function}: {x.Length} points, largest error {worst:F4} ulp at {at:R}");
        Assert.True(worst < 1, $"{function}({at:R}) is {worst:F4} ulp off");
    }
}

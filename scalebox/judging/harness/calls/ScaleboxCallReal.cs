// Doubles as text, exactly: Mono's own conversions are off by one in the last place now and then.

using System;
using System.Globalization;
using System.Numerics;

static class ScaleboxCallReal {
    static readonly double[] Powers = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    // Beyond the exponents of the smallest doubles.
    const int Scale = 1080;

    /// All of the digits, of which there may be hundreds.
    public static string Text(double number) {
        int exponent;
        long mantissa = Parts(number, out exponent);
        if (mantissa == 0) {
            return BitConverter.DoubleToInt64Bits(number) < 0 ? "-0.0" : "0.0";
        }
        for (; mantissa % 2 == 0; exponent++) {
            mantissa /= 2;
        }
        string digits = exponent < 0 ? (mantissa * BigInteger.Pow(5, -exponent)).ToString()
            : (mantissa * BigInteger.Pow(2, exponent)).ToString();
        return digits + "e" + Math.Min(exponent, 0).ToString(CultureInfo.InvariantCulture);
    }

    /// The double that is nearest to what a text says.
    public static double Parse(string text) {
        int at = text.IndexOfAny(new[] {'e', 'E'});
        string digits = at < 0 ? text : text.Substring(0, at);
        int exponent = at < 0 ? 0 : int.Parse(text.Substring(at + 1), CultureInfo.InvariantCulture);
        int point = digits.IndexOf('.');
        if (point >= 0) {
            exponent -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }
        BigInteger whole = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        bool isNegative = text[0] == '-';
        BigInteger size = BigInteger.Abs(whole);
        double found = size < 1000000000000000L && Math.Abs(exponent) <= 22
            ? (exponent < 0 ? (double)(long)size / Powers[-exponent] : (double)(long)size * Powers[exponent])
            : Nearest(size, exponent, Math.Abs(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)));
        return isNegative ? -found : found;
    }

    /// Of the doubles beside a guess the one that is nearest to size * 10^exponent.
    static double Nearest(BigInteger size, int exponent, double guess) {
        long bits = BitConverter.DoubleToInt64Bits(guess);
        BigInteger wanted = (size * BigInteger.Pow(10, Math.Max(exponent, 0))) << Scale;
        BigInteger divisor = BigInteger.Pow(10, Math.Max(-exponent, 0));
        double best = guess;
        BigInteger least = -1;
        for (long other = Math.Max(0, bits - 2); other <= bits + 2; other++) {
            double candidate = BitConverter.Int64BitsToDouble(other);
            if (double.IsInfinity(candidate) || double.IsNaN(candidate)) {
                continue;
            }
            int power;
            BigInteger mantissa = Parts(candidate, out power);
            BigInteger distance = BigInteger.Abs((mantissa << power + Scale) * divisor - wanted);
            // Of two that are as near the even one is meant.
            if (least < 0 || distance < least || distance == least && other % 2 == 0) {
                best = candidate;
                least = distance;
            }
        }
        return best;
    }

    /// A double as mantissa * 2^exponent.
    static long Parts(double number, out int exponent) {
        long bits = BitConverter.DoubleToInt64Bits(number);
        exponent = (int)(bits >> 52 & 0x7FF);
        long mantissa = bits & 0xFFFFFFFFFFFFFL;
        if (exponent == 0) {
            exponent++;
        } else {
            mantissa |= 1L << 52;
        }
        exponent -= 1075;
        return bits < 0 ? -mantissa : mantissa;
    }
}

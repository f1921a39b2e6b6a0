package io.daosmesh.admin.grammar;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as an administrator types ({@code 300MB}, {@code 1.5 TiB}, {@code 50%}) and reads ({@code 6.4 TB}) them. */
public final class ByteSize {
    private static final Pattern SIZE = Pattern.compile("([0-9][0-9,]*(?:\\.[0-9]+)?|\\.[0-9]+)\\s*([A-Za-z]*)");
    private static final Pattern PERCENT = Pattern.compile("\\s*([0-9.+-]+)\\s*%\\s*");
    private static final Map<String, Integer> POWERS = Map.of("", 0, "k", 1, "m", 2, "g", 3, "t", 4, "p", 5, "e", 6);
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    private ByteSize() {}

    /** Bytes: base 10 for {@code kB MB ..}, base 2 for {@code KiB MiB ..}, any case. DER_INVAL. */
    public static long parse(String text) {
        if (text.isBlank()) throw Ranges.invalid("no size specified");
        Matcher m = SIZE.matcher(text.trim());
        if (!m.matches()) throw invalid(text);
        String unit = m.group(2).toLowerCase(Locale.ROOT);
        boolean binary = unit.endsWith("ib") || (unit.length() == 2 && unit.endsWith("i"));
        String letter = unit.isEmpty() || unit.equals("b") ? "" : unit.substring(0, 1);
        String rest = unit.isEmpty() || unit.equals("b") ? "" : unit.substring(1);
        Integer power = POWERS.get(letter);
        if (power == null || !(rest.isEmpty() || rest.equals("b") || binary)) throw invalid(text);
        BigDecimal factor = BigDecimal.valueOf(binary ? 1024 : 1000).pow(power);
        BigDecimal bytes = new BigDecimal(m.group(1).replace(",", "")).multiply(factor);
        if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) throw invalid(text);
        return bytes.setScale(0, RoundingMode.DOWN).longValue();
    }

    /** The number of {@code N%}; empty when the text is no percentage. DER_INVAL beyond 1 to 100. */
    public static OptionalInt percent(String text) {
        Matcher m = PERCENT.matcher(text);
        if (!m.matches()) return OptionalInt.empty();
        if (!m.group(1).matches("[0-9]{1,9}")) throw Ranges.invalid("invalid pool size ratio \"%s\"", text.trim());
        int percent = Integer.parseInt(m.group(1));
        if (percent < 1 || percent > 100) {
            throw Ranges.invalid("invalid pool size ratio \"%s\" (allowed range 0 < ratio <= 100)", text.trim());
        }
        return OptionalInt.of(percent);
    }

    /** SI units, one decimal below 10, else none: {@code 6.4 TB}, {@code 12 TB}, {@code 0 B}. */
    public static String format(long bytes) {
        if (bytes < 10) return Math.max(0, bytes) + " B";
        int unit = 0;
        BigDecimal scaled = BigDecimal.valueOf(bytes);
        while (unit < UNITS.length - 1 && scaled.compareTo(BigDecimal.valueOf(1000)) >= 0) {
            scaled = scaled.movePointLeft(3);
            unit++;
        }
        BigDecimal tenths = scaled.setScale(1, RoundingMode.HALF_UP);
        BigDecimal shown =
                tenths.compareTo(BigDecimal.TEN) < 0 && unit > 0 ? tenths : tenths.setScale(0, RoundingMode.HALF_EVEN);
        return shown.toPlainString() + " " + UNITS[unit];
    }

    private static RuntimeException invalid(String text) {
        return Ranges.invalid("invalid size \"%s\"", text);
    }
}

package io.daosmesh.admin.grammar;

import java.util.Locale;

/**
 * Shares of the storage tiers in percent: {@code 6,94}; one number means it and the rest. Immutable.
 *
 * @param scm 0 to 100, two decimals
 * @param nvme 0 to 100, two decimals
 */
public record TierRatio(double scm, double nvme) {
    public static final TierRatio DEFAULT = new TierRatio(6, 94);

    /** DER_INVAL when a share is no number from 0 to 100 or they do not add up to 100 +-1. */
    public static TierRatio parse(String text) {
        String[] parts = text.split(",", -1);
        if (parts.length > 2) throw Ranges.invalid("invalid tier ratio \"%s\": two tiers at most", text);
        double first = share(text, parts[0]);
        double second = parts.length == 2 ? share(text, parts[1]) : 100 - first;
        double sum = first + second;
        if (Math.abs(sum - 100) > 1) {
            throw Ranges.invalid(
                    "Storage tier ratios must add up to 100 (got %s)",
                    sum == Math.rint(sum) ? String.valueOf((long) sum) : String.valueOf(sum));
        }
        return new TierRatio(first, second);
    }

    /** {@code 6.00%,94.00%}. */
    public String text() {
        return String.format(Locale.ROOT, "%.2f%%,%.2f%%", scm, nvme);
    }

    private static double share(String text, String part) {
        String number = part.trim().replaceFirst("\\s*%$", "");
        if (!number.matches("[0-9]{1,3}(\\.[0-9]{1,9})?")) throw Ranges.invalid("invalid tier ratio \"%s\"", text);
        double share = Math.round(Double.parseDouble(number) * 100) / 100.0;
        if (share > 100) throw Ranges.invalid("invalid tier ratio \"%s\": %s is above 100", text, part.trim());
        return share;
    }
}

package io.daosmesh.model.id;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How an object is protected: replicas in a redundancy group. Redundancy codes as in DAOS 2.x: 1 = single copy, 8 = 2
 * replicas, 9 = 3 replicas. Immutable.
 *
 * @param code 8-bit redundancy code
 * @param replicas shards of one group, at least 1
 */
public record ObjectClass(int code, int replicas) {
    public static final ObjectClass SINGLE = new ObjectClass(1, 1);
    public static final ObjectClass RP_2 = new ObjectClass(8, 2);
    public static final ObjectClass RP_3 = new ObjectClass(9, 3);

    /** As many groups as fit, resolved when an object id is made. */
    public static final int GROUPS_X = 0xffff;

    private static final Pattern NAME = Pattern.compile("(?:S|RP_([23])G)(\\d+|X)");

    /** A class name with its wanted number of groups: {@code S1}, {@code SX}, {@code RP_2G1}, {@code RP_3GX}. */
    public record Named(ObjectClass objectClass, int groups) {
        /** Groups for a pool of {@code targetCount} targets. */
        public int resolveGroups(int targetCount) {
            int fit = Math.max(1, targetCount / objectClass.replicas());
            return groups == GROUPS_X ? Math.min(fit, GROUPS_X - 1) : Math.min(groups, fit);
        }

        public String name() {
            String n = groups == GROUPS_X ? "X" : Integer.toString(groups);
            return objectClass.replicas() == 1 ? "S" + n : "RP_" + objectClass.replicas() + "G" + n;
        }
    }

    /** What a class that was stored says; empty when this release does not know it. */
    public static Optional<Named> find(String name) {
        try {
            return Optional.of(parse(name));
        } catch (FaultException unknown) {
            return Optional.empty();
        }
    }

    /** INVAL for anything but the names this release makes. */
    public static Named parse(String name) {
        Matcher m = NAME.matcher(name.toUpperCase(Locale.ROOT));
        if (!m.matches()) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "object class '%s' is not one of S<n>, SX, RP_2G<n>, RP_2GX, RP_3G<n>, RP_3GX",
                            name)
                    .asException();
        }
        int groups = m.group(2).equals("X") ? GROUPS_X : parseGroups(m.group(2), name);
        ObjectClass c = m.group(1) == null ? SINGLE : m.group(1).equals("2") ? RP_2 : RP_3;
        return new Named(c, groups);
    }

    private static int parseGroups(String digits, String name) {
        int groups = digits.length() > 5 ? 0 : Integer.parseInt(digits);
        if (groups < 1 || groups >= GROUPS_X) {
            throw Fault.of(FaultCode.INVAL, "object class '%s': groups outside 1..65534", name)
                    .asException();
        }
        return groups;
    }

    static boolean isCode(int code) {
        return code == SINGLE.code || code == RP_2.code || code == RP_3.code;
    }

    public static ObjectClass ofCode(int code) {
        return switch (code) {
            case 1 -> SINGLE;
            case 8 -> RP_2;
            case 9 -> RP_3;
            default ->
                throw Fault.of(FaultCode.INVAL, "unknown redundancy code %d", code)
                        .asException();
        };
    }

    /** Default class for a redundancy factor: files and arrays spread over all groups. */
    public static Named forRedundancyFactor(int rdFac) {
        return switch (rdFac) {
            case 0 -> new Named(SINGLE, GROUPS_X);
            case 1 -> new Named(RP_2, GROUPS_X);
            case 2 -> new Named(RP_3, GROUPS_X);
            default ->
                throw Fault.of(FaultCode.INVAL, "rd_fac %d: this release protects against 0..2 failures", rdFac)
                        .asException();
        };
    }

    /** Failures survived. */
    public int redundancyFactor() {
        return replicas - 1;
    }
}

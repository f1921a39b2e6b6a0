package io.daosmesh.model.id;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How an object is protected: replicas in a redundancy group. Redundancy codes as in DAOS 2.x: 1 = single copy, 8 = 2
 * replicas, 9 = 3 replicas. All that a release knows of its classes is the table in here. Immutable.
 *
 * @param code 8-bit redundancy code
 * @param prefix of its names, before the number of groups
 * @param replicas shards of one group, at least 1
 */
public record ObjectClass(int code, String prefix, int replicas) {
    public static final ObjectClass SINGLE = new ObjectClass(1, "S", 1);
    public static final ObjectClass RP_2 = new ObjectClass(8, "RP_2G", 2);
    public static final ObjectClass RP_3 = new ObjectClass(9, "RP_3G", 3);

    /** By what they survive. */
    private static final List<ObjectClass> ALL = List.of(SINGLE, RP_2, RP_3);

    /** Of any class. */
    public static final int REPLICAS_MAX =
            ALL.stream().mapToInt(ObjectClass::replicas).max().orElseThrow();

    /** As many groups as fit, resolved when an object id is made. */
    public static final int GROUPS_X = 0xffff;

    private static final Pattern GROUPS = Pattern.compile("\\d+|X");

    /** A class name with its wanted number of groups: {@code S1}, {@code SX}, {@code RP_2G1}, {@code RP_3GX}. */
    public record Named(ObjectClass objectClass, int groups) {
        /** Groups for a pool of {@code targetCount} targets. */
        public int resolveGroups(int targetCount) {
            int fit = Math.max(1, targetCount / objectClass.replicas());
            return groups == GROUPS_X ? Math.min(fit, GROUPS_X - 1) : Math.min(groups, fit);
        }

        public String name() {
            return objectClass.prefix + (groups == GROUPS_X ? "X" : Integer.toString(groups));
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
        String upper = name.toUpperCase(Locale.ROOT);
        for (ObjectClass c : ALL) {
            String groups = upper.startsWith(c.prefix) ? upper.substring(c.prefix.length()) : "";
            if (GROUPS.matcher(groups).matches()) return new Named(c, parseGroups(groups, name));
        }
        String known =
                ALL.stream().map(c -> c.prefix + "<n>, " + c.prefix + "X").collect(Collectors.joining(", "));
        throw Fault.of(FaultCode.INVAL, "object class '%s' is not one of %s", name, known)
                .asException();
    }

    private static int parseGroups(String digits, String name) {
        if (digits.equals("X")) return GROUPS_X;
        int groups = digits.length() > 5 ? 0 : Integer.parseInt(digits);
        if (groups < 1 || groups >= GROUPS_X) {
            throw Fault.of(FaultCode.INVAL, "object class '%s': groups outside 1..65534", name)
                    .asException();
        }
        return groups;
    }

    static boolean isCode(int code) {
        return ALL.stream().anyMatch(c -> c.code == code);
    }

    public static ObjectClass ofCode(int code) {
        for (ObjectClass c : ALL) if (c.code == code) return c;
        throw Fault.of(FaultCode.INVAL, "unknown redundancy code %d", code).asException();
    }

    /** Default class for a redundancy factor: files and arrays spread over all groups. */
    public static Named forRedundancyFactor(int rdFac) {
        for (ObjectClass c : ALL) if (c.redundancyFactor() == rdFac) return new Named(c, GROUPS_X);
        throw Fault.of(
                        FaultCode.INVAL,
                        "rd_fac %d: this release protects against 0..%d failures",
                        rdFac,
                        REPLICAS_MAX - 1)
                .asException();
    }

    /** Failures survived. */
    public int redundancyFactor() {
        return replicas - 1;
    }
}

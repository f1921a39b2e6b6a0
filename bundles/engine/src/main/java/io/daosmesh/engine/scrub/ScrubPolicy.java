package io.daosmesh.engine.scrub;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the properties of a pool ask of the scrubber. Immutable.
 *
 * @param periodNs from the begin of one pass to the begin of the next; a timed pass is spread over it
 * @param corruptionMax so many damaged values put a target out of the pool; 0 = however many
 * @param exempt containers that are left alone
 */
public record ScrubPolicy(Mode mode, long periodNs, long corruptionMax, Set<UUID> exempt) {
    /** In the pool's properties as servers are told them: see the pool service. */
    private static final String UNSCRUBBED = "unscrubbed";

    /** When values are read. */
    public enum Mode {
        OFF,
        /** While nobody asks the target for anything. */
        LAZY,
        TIMED
    }

    /** DAOS: a week. */
    static final long PERIOD_SECONDS = 604_800;

    /** 52 weeks. */
    static final long PERIOD_SECONDS_MAX = 31_449_600;

    public static final ScrubPolicy NONE = new ScrubPolicy(Mode.OFF, PERIOD_SECONDS * 1_000_000_000L, 0, Set.of());

    public ScrubPolicy {
        exempt = Set.copyOf(exempt);
    }

    /** What is missing has its default; a mode that this release does not know is none, a number likewise its default. */
    public static ScrubPolicy of(Map<String, String> properties) {
        Mode mode = switch (properties.getOrDefault("scrub", "off")) {
            case "lazy" -> Mode.LAZY;
            case "timed" -> Mode.TIMED;
            default -> Mode.OFF;
        };
        long seconds = number(properties.get("scrub_freq"), PERIOD_SECONDS);
        boolean isPeriod = seconds > 0 && seconds <= PERIOD_SECONDS_MAX;
        return new ScrubPolicy(
                mode,
                (isPeriod ? seconds : PERIOD_SECONDS) * 1_000_000_000L,
                number(properties.get("scrub_thresh"), 0),
                containers(properties.getOrDefault(UNSCRUBBED, "")));
    }

    private static Set<UUID> containers(String text) {
        return Arrays.stream(text.split(","))
                .filter(c -> c.matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"))
                .map(UUID::fromString)
                .collect(Collectors.toSet());
    }

    private static long number(@Nullable String text, long otherwise) {
        return text != null && text.trim().matches("[0-9]{1,10}") ? Long.parseLong(text.trim()) : otherwise;
    }
}

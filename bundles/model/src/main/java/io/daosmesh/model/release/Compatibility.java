package io.daosmesh.model.release;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Which releases may talk to each other. Shown in docs/protocol.md, which a test compares. Stateless. Source: daos-admin facts 10. */
public final class Compatibility {
    /** Numbers in the table of administrators' faults. */
    private static final int INCOMPATIBLE = 616;

    private static final int DIFFERS_UNPROVEN = 617;

    /** A release and the next one: odd minors are versions under development. */
    private static final int STEP_MAX = 2;

    /** In this order; what is not in here is refused. */
    static final List<Rule> RULES = List.of(
            new Rule(Part.SERVER, Part.SERVER, Need.SAME),
            new Rule(Part.SERVER, Part.ADMIN, Need.SAME_MINOR),
            new Rule(Part.SERVER, Part.AGENT, Need.STEP),
            new Rule(Part.SERVER, Part.CLIENT, Need.STEP),
            new Rule(Part.AGENT, Part.CLIENT, Need.SAME));

    /** What a program is. */
    public enum Part {
        SERVER,
        ADMIN,
        AGENT,
        /** A program of a user, with the library inside. */
        CLIENT;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How near two releases have to be. */
    enum Need {
        SAME("x.y.z"),
        SAME_MINOR("x.y"),
        STEP("x.(y+-1 release)");

        final String label;

        Need(String label) {
            this.label = label;
        }

        boolean isMet(Release a, Release b) {
            return switch (this) {
                case SAME -> a.isSame(b);
                case SAME_MINOR -> a.isSameMinor(b);
                case STEP -> a.major() == b.major() && Math.abs(a.minor() - b.minor()) <= STEP_MAX;
            };
        }
    }

    record Rule(Part one, Part other, Need need) {
        boolean isFor(Part a, Part b) {
            return a == one && b == other || a == other && b == one;
        }
    }

    /**
     * Who speaks.
     *
     * @param release as it says itself, perhaps none at all
     */
    public record Speaker(Part part, String release) {
        public static Speaker own(Part part) {
            return new Speaker(part, Release.own().text());
        }

        @Override
        public String toString() {
            return part.label() + ":" + (Release.of(release).isPresent() ? release : "unknown");
        }
    }

    private Compatibility() {}

    /**
     * MISMATCH that names both, or nothing.
     *
     * @param isProven the peer has shown what it is; without TLS it could say anything, so the releases must be the same
     */
    public static Optional<Fault> refusal(Speaker own, Speaker peer, boolean isProven) {
        Optional<Release> a = Release.of(own.release);
        Optional<Release> b = Release.of(peer.release);
        boolean areKnown = a.isPresent() && b.isPresent();
        if (areKnown && a.get().isSame(b.get())) return Optional.empty();
        if (!isProven)
            return Optional.of(
                    fault(DIFFERS_UNPROVEN, own + " and " + peer + " have to be the same with allow_insecure"));
        boolean isNear = areKnown
                && RULES.stream()
                        .filter(r -> r.isFor(own.part, peer.part))
                        .anyMatch(r -> r.need.isMet(a.get(), b.get()));
        return isNear ? Optional.empty() : Optional.of(fault(INCOMPATIBLE, own + " and " + peer + " are incompatible"));
    }

    /** PROTO: what two programs of other releases send each other cannot even be read. */
    public static Fault otherProtocol(Speaker own, int ownProtocol, Speaker peer, int peerProtocol) {
        return numbered(
                        Fault.of(
                                FaultCode.PROTO,
                                "protocol %d of %s is not protocol %d of %s",
                                peerProtocol,
                                peer,
                                ownProtocol,
                                own),
                        INCOMPATIBLE)
                .with("have", peerProtocol)
                .with("need", ownProtocol);
    }

    private static Fault fault(int number, String text) {
        return numbered(new Fault(FaultCode.MISMATCH, text, java.util.Map.of(), ""), number);
    }

    private static Fault numbered(Fault fault, int number) {
        return fault.with("fault", number)
                .with("domain", "server")
                .remedy("install the same release on both: dmg system query -v tells those of the nodes");
    }
}

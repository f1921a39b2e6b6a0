package io.daosmesh.swim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Probes under way: own ones, and those made for others. Bounded. Owner: membership loop. */
final class Pending {

    /** An own probe: direct first, then through helpers, then failed. */
    static final class Probe {
        final long sequence;
        final int target;
        final long sentNs;
        long indirectAtNs;
        long failAtNs;
        boolean isIndirectSent;
        int helperCount;
        int nackCount;

        Probe(long sequence, int target, long sentNs, long indirectAtNs, long failAtNs) {
            this.sequence = sequence;
            this.sentNs = sentNs;
            this.target = target;
            this.indirectAtNs = indirectAtNs;
            this.failAtNs = failAtNs;
        }
    }

    /** A probe for somebody else: its answer goes to the origin, or a nack in good time (Lifeguard, section 4.1). */
    static final class Relay {
        final long sequence;
        final int target;
        final int origin;
        final long originSequence;
        long nackAtNs;
        long dropAtNs;
        boolean isNackSent;

        Relay(long sequence, SwimMessage request, long nackAtNs, long dropAtNs) {
            this.sequence = sequence;
            this.target = request.target();
            this.origin = request.from();
            this.originSequence = request.sequence();
            this.nackAtNs = nackAtNs;
            this.dropAtNs = dropAtNs;
        }
    }

    private final int pendingMax;
    private final List<Probe> probes = new ArrayList<>();
    private final Deque<Relay> relays = new ArrayDeque<>();

    Pending(int pendingMax) {
        this.pendingMax = pendingMax;
    }

    boolean isEmpty() {
        return probes.isEmpty() && relays.isEmpty();
    }

    boolean isFull() {
        return probes.size() >= pendingMax;
    }

    boolean isRelayFull() {
        return relays.size() >= pendingMax;
    }

    void add(Probe probe) {
        probes.add(probe);
    }

    void add(Relay relay) {
        relays.add(relay);
    }

    boolean isProbing(int target) {
        for (Probe probe : probes) {
            if (probe.target == target) {
                return true;
            }
        }
        return false;
    }

    @Nullable
    Probe findProbe(long sequence) {
        for (Probe probe : probes) {
            if (probe.sequence == sequence) {
                return probe;
            }
        }
        return null;
    }

    void remove(Probe probe) {
        probes.remove(probe);
    }

    void forget(int rank) {
        probes.removeIf(probe -> probe.target == rank);
        relays.removeIf(relay -> relay.target == rank || relay.origin == rank);
    }

    @Nullable
    Relay takeRelay(long sequence) {
        for (Iterator<Relay> i = relays.iterator(); i.hasNext(); ) {
            Relay relay = i.next();
            if (relay.sequence == sequence) {
                i.remove();
                return relay;
            }
        }
        return null;
    }

    void eachProbe(Predicate<Probe> isDone) {
        for (int i = probes.size() - 1; i >= 0; i--) {
            Probe probe = probes.get(i);
            if (isDone.test(probe)) {
                probes.remove(probe);
            }
        }
    }

    void eachRelay(Consumer<Relay> visitor) {
        relays.forEach(visitor);
    }

    void dropRelays(Predicate<Relay> isDone) {
        relays.removeIf(isDone);
    }

    void shift(long ns) {
        for (Probe probe : probes) {
            probe.indirectAtNs += ns;
            probe.failAtNs += ns;
        }
        for (Relay relay : relays) {
            relay.nackAtNs += ns;
            relay.dropAtNs += ns;
        }
    }
}

package io.daosmesh.engine.lease;

import io.daosmesh.engine.shard.Leases;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Read leases of one rank, given and held. A rank that leads a group answers reads while every other member of the group
 * has granted it a lease; a member grants none to a rank whose map is older than its own, and takes part in no update of a
 * newer map's group before the leases that it has granted to a former leader have run out. Durations of one clock only:
 * the holder counts from before it asked, the granter from when it was asked. See docs/decisions/0015. Owner: one lock.
 */
public final class LeaseTable {
    /** Four renewals and a slow answer fit in; with the margin less than the second that a kill may cost. */
    public static final long LEASE_NS = 900_000_000L;
    /** For clocks that run at different speeds: a thousand times what is usual. */
    public static final long MARGIN_NS = 50_000_000L;

    public static final long RENEW_NS = 200_000_000L;
    /** Peers that nobody has read with for this long are not asked any more. */
    private static final long USED_NS = 5_000_000_000L;
    /** Far enough away and safe to subtract. */
    private static final long LONG_AGO_NS = 3_600_000_000_000L;

    private final int rank;
    private final long openedNs;
    private final Map<UUID, OfPool> pools = new HashMap<>();

    /** What is known of one other rank. */
    private static final class Peer {
        private long grantedNs;
        private int seenVersion;
        private long heldFromNs;
        private long usedNs;
        private long askedNs;

        Peer(long openedNs) {
            // a former life of this engine may have granted until now
            grantedNs = openedNs;
            heldFromNs = openedNs - LONG_AGO_NS;
            usedNs = heldFromNs;
            askedNs = heldFromNs;
        }
    }

    private static final class OfPool {
        private final Map<Integer, Peer> peers = new HashMap<>();
        private int version;
    }

    /** One pool of a request to a peer. */
    public record Ask(UUID pool, int mapVersion) {}

    public LeaseTable(int rank, long openedNs) {
        this.rank = rank;
        this.openedNs = openedNs;
    }

    private Peer peer(OfPool p, int of) {
        return p.peers.computeIfAbsent(of, r -> new Peer(openedNs));
    }

    /** A target of this rank acts by the version from now on, or did so in a former life. True if it is news. */
    public boolean adopt(UUID pool, int version) {
        OfPool p = pools.computeIfAbsent(pool, k -> new OfPool());
        if (version <= p.version) return false;
        p.version = version;
        // former leaders wait for this rank's word
        for (Peer peer : p.peers.values()) peer.askedNs = openedNs - LONG_AGO_NS;
        return true;
    }

    public void forget(UUID pool) {
        pools.remove(pool);
    }

    /** The newest version that this rank acts by; 0 if it does not know the pool. */
    public int version(UUID pool) {
        OfPool p = pools.get(pool);
        return p == null ? 0 : p.version;
    }

    /** Another rank asks; true = granted from now on for {@link #LEASE_NS}. */
    public boolean grant(UUID pool, int to, int version, long nowNs) {
        OfPool p = pools.get(pool);
        if (p == null || p.version == 0) return false;
        Peer peer = peer(p, to);
        peer.seenVersion = Math.max(peer.seenVersion, version);
        if (version < p.version) return false;
        peer.grantedNs = nowNs;
        return true;
    }

    /**
     * How long the rank, or {@link Leases#ANY_RANK}, may still answer reads by a map older than the version on the strength of
     * what this rank has granted; 0 = not any more. It cannot be granted more: this rank acts by the version.
     */
    public long leftNs(UUID pool, int of, int version, long nowNs) {
        // targets of one rank change together
        if (of == rank) return 0;
        OfPool p = pools.get(pool);
        if (of == Leases.ANY_RANK) return longestLeftNs(p, version, nowNs);
        Peer peer = p == null ? null : p.peers.get(of);
        return leftNs(peer, version, nowNs);
    }

    /** Ranks that have not asked yet in this life may have been granted something by the former one. */
    private long longestLeftNs(@Nullable OfPool p, int version, long nowNs) {
        long longest = formerLifeLeftNs(nowNs);
        if (p != null) for (Peer peer : p.peers.values()) longest = Math.max(longest, leftNs(peer, version, nowNs));
        return longest;
    }

    private long leftNs(@Nullable Peer peer, int version, long nowNs) {
        if (peer != null && peer.seenVersion >= version) return 0;
        long from = peer == null ? openedNs : peer.grantedNs;
        return Math.max(0, from + LEASE_NS + MARGIN_NS - nowNs);
    }

    /** How long a former life of this engine may have granted leases that still count. */
    public long formerLifeLeftNs(long nowNs) {
        return Math.max(0, openedNs + LEASE_NS + MARGIN_NS - nowNs);
    }

    /** The peer has granted what was asked of it at {@code askedNs}. */
    public void onGranted(UUID pool, int by, long askedNs) {
        OfPool p = pools.get(pool);
        if (p == null) return;
        Peer peer = peer(p, by);
        if (askedNs - peer.heldFromNs > 0) peer.heldFromNs = askedNs;
    }

    /** True if all of the ranks have granted a lease that counts now, and no target here acts by a newer map. */
    public boolean holds(UUID pool, int version, List<Integer> ranks, long nowNs) {
        OfPool p = pools.get(pool);
        if (p == null || p.version != version) return false;
        boolean all = true;
        for (int i = 0; i < ranks.size(); i++) {
            int r = ranks.get(i);
            if (r == rank) continue;
            Peer peer = peer(p, r);
            peer.usedNs = nowNs;
            if (nowNs - peer.heldFromNs >= LEASE_NS) all = false;
        }
        return all;
    }

    /** Nobody reads, and what is held has run out: nothing is due before a read asks for it. */
    public boolean isIdle(long nowNs) {
        return pools.values().stream()
                .flatMap(p -> p.peers.values().stream())
                .allMatch(peer -> nowNs - peer.usedNs >= USED_NS + LEASE_NS);
    }

    /** What has to be asked of which rank now. */
    public Map<Integer, List<Ask>> due(long nowNs) {
        Map<Integer, List<Ask>> due = new HashMap<>();
        pools.forEach((pool, p) -> p.peers.forEach((r, peer) -> {
            boolean isUsed = nowNs - peer.usedNs < USED_NS;
            if (!isUsed || nowNs - peer.askedNs < RENEW_NS) return;
            peer.askedNs = nowNs;
            due.computeIfAbsent(r, k -> new ArrayList<>()).add(new Ask(pool, p.version));
        }));
        return due;
    }
}

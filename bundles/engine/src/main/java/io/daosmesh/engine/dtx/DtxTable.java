package io.daosmesh.engine.dtx;

import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Prepared;
import io.daosmesh.model.id.DtxId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Active DTXs of a pool shard and the order in which committed ones are forgotten. Owner: target loop.
 *
 * <p>A record is visible iff its DTX is not prepared here. Committed entries are kept to recognise a request that comes
 * again, or whose resend has overtaken it. All that the store holds of them is in memory, too: they are read at the start,
 * come when the store has them and go when their deletion is staged. So every write can be looked up, without the store.
 */
public final class DtxTable implements Prepared {
    /** Committed entries kept for {@link #COMMITTED_AGE_NS}; of more the older ones are forgotten first. */
    public static final int COMMITTED_MAX = 65_536;
    /** As in DAOS about ten minutes: no client resends for longer. */
    public static final long COMMITTED_AGE_NS = 600_000_000_000L;
    /**
     * Never younger than this, whatever the number: a client resends for up to 60 s, and a resend that is not recognised
     * would be done twice. How many there can be in that time is the matter of {@link DtxRoom}.
     */
    public static final long COMMITTED_AGE_MIN_NS = 90_000_000_000L;

    /**
     * A DTX that is committed.
     *
     * @param group of the object, as {@link DtxEntry#groupHash()}; 0 = an older release has not kept it
     */
    public record Committed(DtxId id, long epoch, long group) {}

    private final DtxRoom room;
    /** What it takes of the room. */
    private int taken;
    /** The oldest of the committed ones: of a former life. */
    private int formerCount;

    private boolean isClosed;

    private final Map<DtxId, DtxEntry> prepared = new HashMap<>();
    /** By scope and epoch: no leader gives an epoch twice, and a member refuses one that it knows in the scope. */
    private final Map<ByteKey, Map<Long, DtxEntry>> byScope = new HashMap<>();
    /** Aborted here, but others may still have them: nobody reads by this, only conditions wait. */
    private final Map<ByteKey, Set<DtxEntry>> doubts = new HashMap<>();

    private final Map<DtxId, Committed> settling = new HashMap<>();
    private final CommittedIds committed = new CommittedIds();
    private long changeCount;
    private long closedEpoch;

    public DtxTable(DtxRoom room) {
        this.room = room;
    }

    public DtxRoom room() {
        return room;
    }

    private void account() {
        if (isClosed) return;
        int now = prepared.size() * DtxRoom.PREPARED_WEIGHT + settling.size() + committed.count() - formerCount;
        room.change(now - taken);
        taken = now;
    }

    /** Its shard is gone: the room is that of others. */
    public void close() {
        isClosed = true;
        room.change(-taken);
    }

    @Override
    public Set<Long> epochs(byte[] scope) {
        return in(scope).keySet();
    }

    private Map<Long, DtxEntry> in(byte[] scope) {
        if (byScope.isEmpty()) return Map.of();
        Map<Long, DtxEntry> found = byScope.get(new ByteKey(scope));
        return found == null ? Map.of() : found;
    }

    /** True if this target leads the update of the epoch; another leader may have given the same one elsewhere. */
    public boolean isLed(byte[] scope, long epoch) {
        DtxEntry e = in(scope).get(epoch);
        return e != null && e.isLed();
    }

    /** True if an update of the scope is prepared here and nobody drives it any more. */
    public boolean hasOrphans(byte[] scope) {
        for (DtxEntry e : in(scope).values()) if (!e.isLed()) return true;
        return false;
    }

    public void add(DtxEntry entry) {
        changeCount++;
        prepared.put(entry.id(), entry);
        for (byte[] scope : entry.scopes())
            byScope.computeIfAbsent(new ByteKey(scope), k -> new HashMap<>()).put(entry.epoch(), entry);
        account();
    }

    /** Its records, in all their scopes, become visible, or are gone. */
    public void remove(DtxEntry entry) {
        prepared.remove(entry.id(), entry);
        for (byte[] scope : entry.scopes()) {
            byScope.computeIfPresent(new ByteKey(scope), (k, of) -> {
                of.remove(entry.epoch());
                return of.isEmpty() ? null : of;
            });
        }
        account();
    }

    /** True if an update of exactly this epoch is open in one of the scopes. */
    public boolean isOpenAt(List<byte[]> scopes, long epoch) {
        for (byte[] scope : scopes) if (epochs(scope).contains(epoch)) return true;
        return false;
    }

    /**
     * From now on nothing is prepared at or below the epoch: what is committed there may be put together at the newest of its
     * epochs.
     */
    public void close(long epoch) {
        closedEpoch = Math.max(closedEpoch, epoch);
    }

    /** True if an update that has been so long on its way may not be prepared any more. */
    public boolean isClosed(long epoch) {
        return epoch <= closedEpoch;
    }

    /** How often updates were prepared: without any there is nothing to drop. */
    public long changeCount() {
        return changeCount;
    }

    /** Updates of a former life count as one more. */
    public void countFormerLife() {
        changeCount++;
    }

    public @Nullable DtxEntry prepared(DtxId id) {
        return prepared.get(id);
    }

    public Collection<DtxEntry> prepared() {
        return prepared.values();
    }

    public int preparedCount() {
        return prepared.size();
    }

    /** The first of the scopes in which the outcome of another update than {@code id} is open; null if there is none. */
    public byte @Nullable [] firstOpen(List<byte[]> scopes, DtxId id) {
        if (byScope.isEmpty() && doubts.isEmpty()) return null;
        for (byte[] scope : scopes) {
            if (!epochs(scope).isEmpty()) return scope;
            // another try of the same replaces what members have of the first
            for (DtxEntry e : doubts.getOrDefault(new ByteKey(scope), Set.of())) if (!e.id().equals(id)) return scope;
        }
        return null;
    }

    public void addDoubt(DtxEntry entry) {
        for (byte[] scope : entry.scopes())
            doubts.computeIfAbsent(new ByteKey(scope), k -> new HashSet<>()).add(entry);
    }

    public void removeDoubt(DtxEntry entry) {
        for (byte[] scope : entry.scopes()) {
            doubts.computeIfPresent(new ByteKey(scope), (k, of) -> {
                of.remove(entry);
                return of.isEmpty() ? null : of;
            });
        }
    }

    /** Committed or committable, but the store does not say so yet. */
    public void startCommit(Committed dtx) {
        settling.put(dtx.id, dtx);
        account();
    }

    /** The store says so. */
    public void endCommit(Committed dtx, long nowNs) {
        settling.remove(dtx.id);
        committed.put(dtx, nowNs);
        account();
    }

    /**
     * One that a former life has kept, before any other. Its age counts from now, because no clock says how old it is. It takes
     * no room: a restart under load would be followed by a time in which all updates are refused.
     */
    public void load(Committed dtx, long nowNs) {
        committed.put(dtx, nowNs);
        formerCount = committed.count();
    }

    /** What a client may still resend, as it is at one moment; of a group it is read later. Owner: target loop. */
    public final class Recent {
        private final CommittedIds.Groups groups;
        private final List<Committed> settlingThen = List.copyOf(settling.values());

        private Recent(long nowNs) {
            this.groups = committed.groups(nowNs - COMMITTED_AGE_MIN_NS);
        }

        /** Without those that are old by now, which were the last. */
        public List<Committed> of(long group) {
            List<Committed> all = new ArrayList<>();
            for (Committed dtx : settlingThen) if (dtx.group == group) all.add(dtx);
            all.addAll(committed.of(groups, group));
            return all;
        }

        public boolean has(long group) {
            return groups.last.containsKey(group) || settlingThen.stream().anyMatch(dtx -> dtx.group == group);
        }
    }

    public Recent recent(long nowNs) {
        return new Recent(nowNs);
    }

    /** Epoch under which the DTX is committed here, whether the store says so yet or not; null if it is not. */
    public @Nullable Long committedEpoch(DtxId id) {
        Committed open = settling.get(id);
        if (open != null) return open.epoch;
        long number = committed.find(id);
        return number < 0 ? null : committed.epoch(number);
    }

    public int committedCount() {
        return committed.count();
    }

    /** Committed DTXs that may be forgotten now, at most {@code countMax}. */
    public List<DtxId> takeExpired(long nowNs, int countMax) {
        List<DtxId> out = new ArrayList<>();
        while (out.size() < countMax && committed.count() > 0) {
            long age = nowNs - committed.oldestNs();
            boolean isCrowded = committed.count() > COMMITTED_MAX || room.isShort();
            if (age <= (isCrowded ? COMMITTED_AGE_MIN_NS : COMMITTED_AGE_NS)) break;
            out.add(committed.removeOldest());
            if (formerCount > 0) formerCount--;
            account();
        }
        return out;
    }
}

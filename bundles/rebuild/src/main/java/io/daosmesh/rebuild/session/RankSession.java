package io.daosmesh.rebuild.session;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.StoredObject;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One rebuild attempt on one rank: its scan, its pulls, its numbers. Owner: rebuild loop. Pure. */
public final class RankSession {
    /** Objects named in one message to a new home. */
    public static final int BATCH_MAX = 256;

    /** Tries to send one batch: with their pauses longer than any outage that the session survives. */
    static final int SEND_TRIES_MAX = 100;

    static final long SEND_RETRY_MIN_NS = 100_000_000L;
    static final long SEND_RETRY_MAX_NS = 2_000_000_000L;
    static final long PULL_RETRY_NS = 200_000_000L;
    private static final long NEVER = Long.MAX_VALUE;

    private final Session session;
    private final int rank;
    private final SessionEffects out;
    private final PullQueue queue = new PullQueue();
    /** Works under way whose destination holds nothing older any more. */
    private final Set<Work> cleared = new HashSet<>();
    /** Of works that are pulled and not yet remembered. */
    private final Map<Work, Moved> moved = new HashMap<>();
    /** Of one page: an object of many groups is many works, which are made when they are sent. */
    private final Deque<Stored> stored = new ArrayDeque<>();
    /** In no batch yet: fewer than what a message takes and one object has. */
    private final List<Work> gathered = new ArrayList<>();
    /** The first one is on its way. */
    private final Deque<Batch> toSend = new ArrayDeque<>();

    private final Map<Integer, Long> lastBatch = new HashMap<>();
    private @Nullable PoolMap map;
    private long stableEpoch;
    private boolean isRead;
    /** The queue was too full for what the next page might add. */
    private boolean isReadLater;

    private boolean isClosed;
    private int sendTries;
    private long sendAtNs = NEVER;
    private long pumpAtNs = NEVER;
    private long objectsFound;
    private int scanStatus;
    private String scanDetail = "";

    /** Works of one new home; the numbers of a rank's batches follow each other. */
    public record Batch(int rank, long number, List<Work> works) {}

    private record Stored(int target, StoredObject object) {}

    private record Moved(long records, long bytes) {}

    public RankSession(Session session, int rank, SessionEffects out) {
        this.session = session;
        this.rank = rank;
        this.out = out;
    }

    public Session session() {
        return session;
    }

    public RankStatus status() {
        boolean isFailed = scanStatus != 0 || queue.status() != 0;
        return new RankStatus(
                isRead && isAllSent() && !isFailed,
                queue.isDone() && !isFailed,
                objectsFound,
                queue.received(),
                queue.pulled(),
                queue.records(),
                queue.bytes(),
                queue.blocked(),
                scanStatus != 0 ? scanStatus : queue.status(),
                scanStatus != 0 ? scanDetail : queue.detail());
    }

    /** The map of the session; STALE for another one. Starts once; asked again it changes nothing. */
    public void startScan(PoolMap atVersion, long epoch, long nowNs) {
        if (atVersion.version() != session.version()) {
            throw Fault.of(FaultCode.STALE, "rebuild of an older pool map")
                    .with("have", atVersion.version())
                    .with("need", session.version())
                    .asException();
        }
        if (map != null || isClosed) return;
        map = atVersion;
        stableEpoch = epoch;
        out.startScan(Scan.scanned(atVersion, rank));
        out.readNext();
        pump(nowNs);
    }

    /** Some objects that a target holds. */
    public void onStored(int target, List<StoredObject> objects, long nowNs) {
        if (isScanOver()) return;
        for (StoredObject o : objects) {
            stored.add(new Stored(target, o));
            queue.addOwn(Scan.own(map(), target, o.container(), o.oid()));
        }
        advance();
        pump(nowNs);
    }

    public void onScanEnd() {
        if (isScanOver()) return;
        isRead = true;
        advance();
    }

    public void onScanFailed(Fault fault) {
        if (isScanOver()) return;
        scanStatus = fault.code().number();
        scanDetail = fault.text();
    }

    private boolean isScanOver() {
        return isClosed || scanStatus != 0;
    }

    private boolean isAllSent() {
        return stored.isEmpty() && gathered.isEmpty() && toSend.isEmpty();
    }

    /** Sends what was found once it fills a message, and reads on when all is sent. */
    private void advance() {
        if (!toSend.isEmpty()) return;
        while (gathered.size() < BATCH_MAX && !stored.isEmpty()) {
            Stored s = stored.remove();
            gathered.addAll(Scan.works(map(), s.target, s.object.container(), s.object.oid()));
        }
        boolean isFull = gathered.size() >= BATCH_MAX;
        if (isFull || isRead && !gathered.isEmpty()) {
            List<Work> works = gathered.subList(0, Math.min(BATCH_MAX, gathered.size()));
            Map<Integer, List<Work>> byRank = new TreeMap<>();
            for (Work w : works)
                byRank.computeIfAbsent(map().target(w.destination()).rank(), r -> new ArrayList<>())
                        .add(w);
            byRank.forEach((to, of) -> toSend.add(new Batch(to, lastBatch.merge(to, 1L, Long::sum), of)));
            works.clear();
        }
        if (!toSend.isEmpty()) out.send(toSend.getFirst());
        else if (!isRead) readOn();
    }

    private void readOn() {
        isReadLater = !queue.hasRoom();
        if (!isReadLater) out.readNext();
    }

    /** The new home has it. */
    public void onSent(Batch batch) {
        if (isScanOver() || toSend.peek() != batch) return;
        toSend.remove();
        sendTries = 0;
        objectsFound += batch.works.size();
        if (toSend.isEmpty()) advance();
        else out.send(toSend.getFirst());
    }

    /** The same batch again, until it is acknowledged. */
    public void onSendFailed(Batch batch, Fault fault, long nowNs) {
        if (isScanOver() || toSend.peek() != batch) return;
        if (!mayRepeat(fault) || ++sendTries >= SEND_TRIES_MAX) {
            onScanFailed(fault);
            return;
        }
        // six doublings are above the longest pause
        long pauseNs = Math.min(SEND_RETRY_MAX_NS, SEND_RETRY_MIN_NS << Math.min(6, sendTries - 1));
        sendAtNs = nowNs + pauseNs;
        out.wakeAfter(pauseNs);
    }

    /** A full queue or a lost connection: again. A lost session or map: the leader starts afresh. */
    private static boolean mayRepeat(Fault fault) {
        FaultCode code = fault.code();
        return code != FaultCode.NONEXIST && code != FaultCode.STALE && code != FaultCode.PROTO;
    }

    public void onTick(long nowNs) {
        if (isClosed) return;
        if (sendAtNs != NEVER && nowNs - sendAtNs >= 0) {
            sendAtNs = NEVER;
            if (!isScanOver()) out.send(toSend.getFirst());
        }
        boolean isRetried = queue.retryBlocked(nowNs);
        if (isRetried || pumpAtNs != NEVER && nowNs - pumpAtNs >= 0) {
            pumpAtNs = NEVER;
            pump(nowNs);
        }
    }

    /** Works that another rank has found for this one. */
    public void accept(int fromRank, long batch, List<Work> works, long nowNs) {
        queue.accept(fromRank, batch, works);
        pump(nowNs);
    }

    private void pump(long nowNs) {
        if (map == null || isClosed) return;
        queue.nextSurvey(nowNs).ifPresent(out::survey);
        if (isReadLater && !isScanOver()) readOn();
        // all that may start, before the first can fail and come back
        List<PullQueue.Attempt> next = new ArrayList<>(PullQueue.IN_FLIGHT_MAX);
        for (Optional<PullQueue.Attempt> a = queue.next(); a.isPresent(); a = queue.next()) next.add(a.get());
        for (PullQueue.Attempt a : next) {
            // once for each work: what an earlier stay of the group has left here could come to light again
            if (cleared.contains(a.work())) out.pull(a, source(a), stableEpoch);
            else out.clear(a, stableEpoch);
        }
    }

    /** @param changes of the first works that were asked about, at least of one */
    public void onSurveyed(List<Change> changes, long nowNs) {
        if (isClosed) return;
        queue.onSurveyed(changes);
        pump(nowNs);
    }

    public void onSurveyFailed(long nowNs) {
        if (isClosed) return;
        queue.onSurveyFailed(nowNs, PULL_RETRY_NS);
        pumpAtNs = nowNs + PULL_RETRY_NS;
        out.wakeAfter(PULL_RETRY_NS);
    }

    public void onCleared(PullQueue.Attempt attempt) {
        if (isClosed) return;
        cleared.add(attempt.work());
        out.pull(attempt, source(attempt), stableEpoch);
    }

    /** After a failure another holder, if there is one: a record may be damaged at the first. Each in its turn for a salvage. */
    private Work source(PullQueue.Attempt attempt) {
        Work w = attempt.work();
        List<Integer> holders = holders(w);
        int first = holders.indexOf(w.source());
        if (first < 0) return w;
        int next = attempt.isSalvage() ? attempt.salvaged() : attempt.tries();
        return w.from(holders.get((first + next) % holders.size()));
    }

    private List<Integer> holders(Work w) {
        return Placement.group(map(), w.oid(), w.group()).settled();
    }

    public void onPulled(PullQueue.Attempt attempt, long recordCount, long byteCount, long nowNs) {
        if (isClosed) return;
        if (attempt.isSalvage()
                && attempt.salvaged() + 1 < holders(attempt.work()).size()) {
            queue.onSalvaged(attempt, recordCount, byteCount);
            pump(nowNs);
        } else {
            moved.put(attempt.work(), new Moved(recordCount, byteCount));
            out.fill(attempt);
        }
    }

    /** It is remembered. */
    public void onFilled(PullQueue.Attempt attempt, long nowNs) {
        if (isClosed) return;
        cleared.remove(attempt.work());
        Moved m = moved.remove(attempt.work());
        queue.onPulled(attempt, m == null ? 0 : m.records, m == null ? 0 : m.bytes);
        pump(nowNs);
    }

    public void onPullFailed(PullQueue.Attempt attempt, Fault fault, long nowNs) {
        if (isClosed) return;
        moved.remove(attempt.work());
        queue.onPullFailed(attempt, fault, nowNs);
        pumpAtNs = nowNs + PULL_RETRY_NS;
        out.wakeAfter(PULL_RETRY_NS);
        if (queue.blocked() > 0) out.wakeAfter(PullQueue.ROOM_RETRY_NS);
    }

    /** Of a session whose scan has started. */
    public PoolMap map() {
        PoolMap m = map;
        if (m == null) throw new IllegalStateException("scan has not started");
        return m;
    }

    /** Nothing that comes later counts any more. */
    public void close() {
        if (isClosed) return;
        isClosed = true;
        out.cancel();
    }
}

package io.daosmesh.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ObjIntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Gives back the pool handles of processes that have ended, and tries until the pool's service has done it. Any thread: one
 * lock; one request of a pool and a few of all at a time, answers on transport threads. Bounded by the handles that each user
 * may have: those that wait here still count.
 */
final class Evictions {
    private static final Logger log = LoggerFactory.getLogger(Evictions.class);

    private static final int BATCH_MAX = 1024;
    /** What a process says need not be true: pools that nobody has must not keep the servers busy. */
    static final int REQUESTS_MAX = 8;

    private static final long PAUSE_FIRST_MS = 100;
    private static final long PAUSE_MAX_MS = 5000;
    private static final int DOUBLINGS_MAX = 6;
    private static final Duration TRY_LIMIT = Duration.ofSeconds(10);

    private final SystemCalls calls;
    private final int backlogMax;
    private final ObjIntConsumer<String> released;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition isLess = lock.newCondition();
    private final Map<ByteString, OfPool> pools = new HashMap<>();
    private final Queue<ByteString> ready = new ArrayDeque<>();
    private int backlog;
    private int requests;

    private static final class OfPool {
        /** With the user it counts for. */
        private final Map<ByteString, String> handles = new LinkedHashMap<>();

        private int failures;
        /** In {@link #ready}, asked, or in a pause. */
        private boolean isUnderWay;
    }

    /**
     * @param backlogMax handles that wait; what comes then is left to the administrator
     * @param released told how many handles of a user wait no more; called on any thread
     */
    Evictions(SystemCalls calls, int backlogMax, ObjIntConsumer<String> released) {
        this.calls = calls;
        this.backlogMax = backlogMax;
        this.released = released;
    }

    void add(String user, ByteString pool, List<ByteString> handles) {
        int dropped = 0;
        lock.lock();
        try {
            OfPool waiting = pools.computeIfAbsent(pool, p -> new OfPool());
            for (ByteString handle : handles) {
                if (backlog >= backlogMax || waiting.handles.containsKey(handle)) {
                    dropped++;
                    continue;
                }
                waiting.handles.put(handle, user);
                backlog++;
            }
            makeReady(pool, waiting);
        } finally {
            lock.unlock();
        }
        if (dropped > 0) {
            log.error("{} handles of pool {} stay open: too many wait; see dmg pool evict", dropped, Ids.uuid(pool));
            released.accept(user, dropped);
        }
        startSome();
    }

    int backlog() {
        lock.lock();
        try {
            return backlog;
        } finally {
            lock.unlock();
        }
    }

    /** False when some are left at the end of the time. Blocks. */
    boolean awaitNone(Duration limit) {
        long leftNs = limit.toNanos();
        lock.lock();
        try {
            while (backlog > 0 && leftNs > 0) leftNs = isLess.awaitNanos(leftNs);
            return backlog == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Call it with the lock. */
    private void makeReady(ByteString pool, OfPool waiting) {
        if (waiting.isUnderWay) return;
        if (waiting.handles.isEmpty()) {
            pools.remove(pool);
            return;
        }
        waiting.isUnderWay = true;
        ready.add(pool);
    }

    private void startSome() {
        while (true) {
            ByteString pool;
            List<ByteString> batch;
            lock.lock();
            try {
                if (requests >= REQUESTS_MAX || ready.isEmpty()) return;
                pool = ready.remove();
                batch = pools.getOrDefault(pool, new OfPool()).handles.keySet().stream()
                        .limit(BATCH_MAX)
                        .toList();
                requests++;
            } finally {
                lock.unlock();
            }
            evict(pool, batch)
                    .timeout(TRY_LIMIT)
                    // never on this stack: the end of one request starts the next
                    .publishOn(Schedulers.parallel())
                    .subscribe(
                            reply -> onDone(pool, batch, reply), e -> onFailed(pool, batch, FaultException.faultOf(e)));
        }
    }

    private Mono<PoolEvictReply> evict(ByteString pool, List<ByteString> handles) {
        PoolRef ref = PoolRef.newBuilder().setPool(Ids.uuid(pool).toString()).build();
        PoolEvictRequest request = PoolEvictRequest.newBuilder()
                .setPool(ref.getPool())
                .addAllHandles(handles)
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return calls.askAny(RpcMethod.POOL_FIND, ref, reply -> PoolFindReply.parseFrom(reply.body()))
                .flatMap(found -> calls.ask(
                        replicas(found),
                        RpcMethod.POOL_EVICT,
                        request,
                        reply -> PoolEvictReply.parseFrom(reply.body())));
    }

    private static List<String> replicas(PoolFindReply found) {
        Map<Integer, String> addresses = new HashMap<>();
        for (MemberMessage member : found.getGroupMap().getMembersList()) {
            addresses.put(member.getRank(), member.getAddress());
        }
        if (found.getEntry().getPool().isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "the pool does not exist").asException();
        }
        List<String> replicas = new ArrayList<>();
        for (int rank : found.getEntry().getServiceRanksList()) {
            String address = addresses.get(rank);
            if (address != null && !replicas.contains(address)) replicas.add(address);
        }
        return replicas;
    }

    private void onDone(ByteString pool, List<ByteString> batch, PoolEvictReply reply) {
        log.info("pool {}: {} handles of ended processes evicted", Ids.uuid(pool), reply.getCount());
        finish(pool, batch);
    }

    /** A pool or handle that is gone is what was wanted; what another try would not better ends here. */
    private void onFailed(ByteString pool, List<ByteString> batch, Fault fault) {
        if (fault.code().retry() == FaultCode.Retry.NEVER) {
            boolean isGone = fault.code() == FaultCode.NONEXIST || fault.code() == FaultCode.NO_HDL;
            if (isGone) log.info("pool {}: nothing left to evict", Ids.uuid(pool));
            else log.error("pool {}: {} handles stay open: {}", Ids.uuid(pool), batch.size(), fault);
            finish(pool, batch);
            return;
        }
        long pauseMs = pauseAfterFailure(pool);
        log.debug("pool {}: eviction is tried again in {} ms: {}", Ids.uuid(pool), pauseMs, fault);
        Mono.delay(Duration.ofMillis(pauseMs), Schedulers.parallel())
                .subscribe(now -> goOn(pool), e -> log.error("no timer", e));
        startSome();
    }

    private void finish(ByteString pool, List<ByteString> batch) {
        Map<String, Integer> byUser = new HashMap<>();
        lock.lock();
        try {
            requests--;
            OfPool waiting = pools.get(pool);
            if (waiting == null) return;
            for (ByteString handle : batch) {
                String user = waiting.handles.remove(handle);
                if (user != null) byUser.merge(user, 1, Integer::sum);
            }
            waiting.isUnderWay = false;
            waiting.failures = 0;
            makeReady(pool, waiting);
            backlog -= byUser.values().stream().mapToInt(n -> n).sum();
            isLess.signalAll();
        } finally {
            lock.unlock();
        }
        byUser.forEach(released::accept);
        startSome();
    }

    /** Until the pause is over nobody starts another try of this pool. */
    private long pauseAfterFailure(ByteString pool) {
        lock.lock();
        try {
            requests--;
            OfPool waiting = pools.get(pool);
            int failures = waiting == null ? 0 : waiting.failures++;
            return Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS << Math.min(failures, DOUBLINGS_MAX));
        } finally {
            lock.unlock();
        }
    }

    private void goOn(ByteString pool) {
        lock.lock();
        try {
            OfPool waiting = pools.get(pool);
            if (waiting == null) return;
            waiting.isUnderWay = false;
            makeReady(pool, waiting);
        } finally {
            lock.unlock();
        }
        startSome();
    }
}

package io.daosmesh.engine.runtime.access;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.access.Grant;
import io.daosmesh.engine.access.HandleTable;
import io.daosmesh.engine.access.Questions;
import io.daosmesh.engine.access.Right;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleMessage;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.ObjectAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** The container handles of one rank: who may read and write what. Any thread: known handles need no lock. */
public final class HandleChecks implements AutoCloseable {
    /** Of a handle, as of a UUID. */
    private static final int HANDLE_BYTES = 16;
    /** Below the longest wait of a request. */
    private static final Duration ASK_MAX = Duration.ofMillis(2000);

    /** The way to the services of pools. */
    public interface Service {
        Mono<HandleCheckReply> check(UUID pool, List<ByteString> handles);
    }

    private final Service service;
    private final Predicate<UUID> hasPool;
    private final HandleTable table = new HandleTable();
    private final Questions questions = new Questions(table);
    private final LongAdder asked = new LongAdder();
    private final LongAdder refusals = new LongAdder();
    private boolean isClosed;

    /** @param hasPool whether the pool has space on this rank: about others nobody is asked */
    public HandleChecks(Service service, Predicate<UUID> hasPool) {
        this.service = service;
        this.hasPool = hasPool;
    }

    public void register(Registrations r) {
        r.on(RpcMethod.HANDLES_GONE, HandlesGoneRequest.parser(), this::onGone);
    }

    public int heldCount() {
        return table.size();
    }

    public long askedCount() {
        return asked.sum();
    }

    public long refusalCount() {
        return refusals.sum();
    }

    /**
     * Null when the caller's handle is known and allows it: then nothing was allocated. Else what to wait for; it fails
     * with NO_HDL or NO_PERM when the handle does not allow it, BUSY when that cannot be found out now.
     */
    public @Nullable Mono<Boolean> admit(RpcCall.Peer peer, ObjectAddress address, Right right) {
        User user = peer.user().orElse(null);
        if (user == null)
            return refused(Fault.of(FaultCode.NO_HDL, "a connection without a user has no handles")
                    .remedy("connect through daos_agent"));
        ByteString handle = address.getHandle();
        if (handle.size() != HANDLE_BYTES)
            return refused(Fault.of(FaultCode.NO_HDL, "the request shows no container handle"));
        Grant grant = table.get(handle);
        if (grant == null) return find(user, address, right);
        Fault why = grant.refusal(user, address.getPool(), address.getContainer(), right);
        return why == null ? null : refused(why);
    }

    private Mono<Boolean> refused(Fault why) {
        refusals.increment();
        return Mono.error(why.asException());
    }

    private Mono<Boolean> find(User user, ObjectAddress address, Right right) {
        ByteString pool = address.getPool();
        if (pool.size() != HANDLE_BYTES || !hasPool.test(Ids.uuid(pool)))
            return refused(Fault.of(FaultCode.NONEXIST, "the pool is not on this rank"));
        return Mono.create(sink -> {
            Questions.Waiter waiter = (grant, fault) -> {
                Fault why = fault != null
                        ? fault
                        : grant == null
                                ? Grant.invalid(user)
                                : grant.refusal(user, pool, address.getContainer(), right);
                if (why == null) {
                    sink.success(Boolean.TRUE);
                    return;
                }
                refusals.increment();
                sink.error(why.asException());
            };
            run(out -> {
                if (isClosed) out.answer(waiter, null, Fault.of(FaultCode.BUSY, "the engine stops"));
                else questions.onUnknown(pool, address.getHandle(), user.machine(), waiter, System.nanoTime(), out);
            });
        });
    }

    /** What is to be done when the lock is free again. */
    private final class Later implements Questions.Effects {
        private final List<Runnable> todo = new ArrayList<>(1);

        @Override
        public void send(Questions.Batch batch) {
            todo.add(() -> ask(batch));
        }

        @Override
        public void wake(ByteString pool, long delayNs) {
            todo.add(() -> Schedulers.parallel()
                    .schedule(
                            () -> run(out -> questions.onWake(pool, System.nanoTime(), out)),
                            delayNs,
                            TimeUnit.NANOSECONDS));
        }

        @Override
        public void answer(Questions.Waiter waiter, @Nullable Grant grant, @Nullable Fault fault) {
            todo.add(() -> waiter.onAnswer(grant, fault));
        }
    }

    private void run(Consumer<Questions.Effects> step) {
        Later later = new Later();
        synchronized (questions) {
            step.accept(later);
        }
        later.todo.forEach(Runnable::run);
    }

    private void ask(Questions.Batch batch) {
        asked.increment();
        service.check(Ids.uuid(batch.pool()), batch.handles())
                .timeout(
                        ASK_MAX,
                        Mono.error(() -> Fault.of(FaultCode.TIMEDOUT, "no answer within %d ms", ASK_MAX.toMillis())
                                .asException()))
                .map(reply -> found(batch.pool(), reply))
                .subscribe(
                        found -> run(out -> questions.onAnswer(batch, found, System.nanoTime(), out)),
                        e -> run(out -> questions.onFailure(batch, FaultException.faultOf(e), System.nanoTime(), out)));
    }

    private static Map<ByteString, Grant> found(ByteString pool, HandleCheckReply reply) {
        Map<ByteString, Grant> found = new HashMap<>();
        for (HandleMessage m : reply.getHandlesList()) found.put(m.getHandle(), Grant.of(pool, m));
        return found;
    }

    private Mono<Empty> onGone(HandlesGoneRequest r) {
        run(out -> {
            if (r.getAll()) questions.onAllGone(r.getPool());
            else questions.onGone(r.getPool(), r.getHandlesList(), System.nanoTime(), out);
        });
        return Mono.just(Empty.getDefaultInstance());
    }

    public void onPoolGone(UUID pool) {
        run(out -> questions.onPoolGone(Ids.bytes(pool), out));
    }

    @Override
    public void close() {
        run(out -> {
            isClosed = true;
            questions.onClose(out);
        });
    }
}

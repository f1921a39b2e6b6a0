package io.daosmesh.engine.runtime.rpc;

import io.daosmesh.engine.access.Right;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.request.ObjectRequests;
import io.daosmesh.engine.runtime.access.HandleChecks;
import io.daosmesh.engine.runtime.loop.Asker;
import io.daosmesh.engine.runtime.loop.TargetMetrics;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxBatchReply;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchReply;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.UpdateReply;
import io.daosmesh.model.wire.UpdateRequest;
import java.util.List;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/** Object and DTX requests of one rank: from the wire to the target's queue and back. Any thread. */
public final class ObjectHandlers {
    private final List<TargetProxy> targets;
    private final Hlc hlc;
    private final HandleChecks handles;

    public ObjectHandlers(List<TargetProxy> targets, Hlc hlc, HandleChecks handles) {
        this.targets = targets;
        this.hlc = hlc;
        this.handles = handles;
    }

    public void register(Registrations r) {
        on(r, RpcMethod.OBJECT_UPDATE, ObjectRequests::update, this::update);
        on(r, RpcMethod.OBJECT_PUNCH, ObjectRequests::punch, this::punch);
        on(r, RpcMethod.OBJECT_CHANGE, ObjectRequests::change, this::change);
        on(r, RpcMethod.OBJECT_FETCH, ObjectRequests::fetch, this::fetch);
        on(r, RpcMethod.OBJECT_ENUMERATE, ObjectRequests::enumerate, this::enumerate);
        on(r, RpcMethod.SHARD_UPDATE, ObjectRequests::update, this::shardUpdate);
        on(r, RpcMethod.SHARD_PUNCH, ObjectRequests::punch, this::shardPunch);
        on(r, RpcMethod.SHARD_CHANGE, ObjectRequests::change, this::shardChange);
        on(r, RpcMethod.DTX_COMMIT, ObjectRequests::dtxs, this::commit);
        on(r, RpcMethod.DTX_ABORT, ObjectRequests::dtxs, this::abort);
        on(r, RpcMethod.DTX_CHECK, ObjectRequests::dtxs, this::check);
        on(r, RpcMethod.DTX_RESOLVE, ObjectRequests::resolve, this::resolve);
        on(r, RpcMethod.RECORD_PULL, ObjectRequests::record, this::record);
    }

    private static <Q> void on(
            Registrations r,
            RpcMethod method,
            Registrations.Reader<Q> reader,
            BiFunction<Q, RpcCall, Mono<RpcMessage>> handler) {
        r.onData(method, reader, (request, call) -> {
            Asker asker = Asker.of(call.peer());
            return handler.apply(request, call).contextWrite(c -> c.put(Asker.KEY, asker));
        });
    }

    private TargetProxy target(int index) {
        if (index < 0 || index >= targets.size())
            throw Fault.of(FaultCode.INVAL, "this rank has targets 0..%d, not %d", targets.size() - 1, index)
                    .asException();
        return targets.get(index);
    }

    /** Only clients' requests pass here: servers have checked what they forward. */
    private Mono<RpcMessage> admitted(
            RpcCall call, ObjectAddress address, Right right, Supplier<Mono<RpcMessage>> work) {
        Mono<Boolean> awaited = handles.admit(call.peer(), address, right);
        return awaited == null ? work.get() : awaited.flatMap(ok -> work.get());
    }

    private Mono<RpcMessage> update(UpdateRequest r, RpcCall call) {
        return admitted(call, r.getAddress(), Right.WRITE, () -> {
            WriteOp op = WriteOp.of(r, call.data());
            return write(target(r.getAddress().getTarget()), op, TargetMetrics.Op.UPDATE);
        });
    }

    private Mono<RpcMessage> punch(PunchRequest r, RpcCall call) {
        return admitted(call, r.getAddress(), Right.WRITE, () -> {
            WriteOp op = WriteOp.of(r, call.data());
            return write(target(r.getAddress().getTarget()), op, TargetMetrics.Op.OBJ_PUNCH);
        });
    }

    private Mono<RpcMessage> change(ChangeRequest r, RpcCall call) {
        return admitted(call, r.getAddress(), Right.WRITE, () -> {
            WriteOp op = WriteOp.of(r, call.data());
            return write(target(r.getAddress().getTarget()), op, TargetMetrics.Op.UPDATE);
        });
    }

    private static Mono<RpcMessage> write(TargetProxy unit, WriteOp op, TargetMetrics.Op kind) {
        long start = unit.metrics().begin(kind);
        long bytes = op.data().remaining();
        return unit.<Long>request((t, answer) -> t.write(op, answer))
                .map(epoch -> reply(epoch, op.address().mapVersion()))
                .doFinally(s -> unit.metrics().end(kind, start, bytes));
    }

    private static RpcMessage reply(long epoch, int mapVersion) {
        return RpcMessage.of(UpdateReply.newBuilder()
                .setEpoch(epoch)
                .setMapVersion(mapVersion)
                .build());
    }

    private Mono<RpcMessage> shardUpdate(UpdateRequest r, RpcCall call) {
        hlc.merge(r.getEpoch());
        WriteOp op = WriteOp.of(r, call.data());
        return shardWrite(target(r.getAddress().getTarget()), op, TargetMetrics.Op.TGT_UPDATE);
    }

    private Mono<RpcMessage> shardPunch(PunchRequest r, RpcCall call) {
        hlc.merge(r.getEpoch());
        WriteOp op = WriteOp.of(r, call.data());
        return shardWrite(target(r.getAddress().getTarget()), op, TargetMetrics.Op.TGT_PUNCH);
    }

    private Mono<RpcMessage> shardChange(ChangeRequest r, RpcCall call) {
        hlc.merge(r.getEpoch());
        WriteOp op = WriteOp.of(r, call.data());
        return shardWrite(target(r.getAddress().getTarget()), op, TargetMetrics.Op.TGT_UPDATE);
    }

    private static Mono<RpcMessage> shardWrite(TargetProxy unit, WriteOp op, TargetMetrics.Op kind) {
        long start = unit.metrics().begin(kind);
        long bytes = op.data().remaining();
        return unit.<Boolean>request((t, answer) -> t.shardWrite(op, done(answer)))
                .map(ok -> reply(op.dtx().epoch(), op.address().mapVersion()))
                .doFinally(s -> unit.metrics().end(kind, start, bytes));
    }

    public static Done done(Answer<Boolean> answer) {
        return fault -> {
            if (fault == null) answer.answer(Boolean.TRUE, null);
            else answer.refuse(fault);
        };
    }

    private Mono<RpcMessage> fetch(FetchRequest r, RpcCall call) {
        return admitted(call, r.getAddress(), Right.READ, () -> fetch(r));
    }

    private Mono<RpcMessage> fetch(FetchRequest r) {
        NameSum.at(r.getAddress(), NameSum.FETCH)
                .dkey(r.getDkey().toByteArray(), r.getValuesList())
                .check(r.getNamesCrc32C());
        TargetProxy unit = target(r.getAddress().getTarget());
        return Mono.defer(() -> {
            long start = unit.metrics().begin(TargetMetrics.Op.FETCH);
            Fetched hot = unit.hotFetch(r);
            if (hot != null) {
                unit.metrics().end(TargetMetrics.Op.FETCH, start, hot.data().remaining());
                return Mono.just(reply(hot));
            }
            long[] bytes = new long[1];
            return unit.<Fetched>request((t, answer) -> t.fetch(r, answer))
                    .map(f -> {
                        bytes[0] = f.data().remaining();
                        return reply(f);
                    })
                    .doFinally(s -> unit.metrics().end(TargetMetrics.Op.FETCH, start, bytes[0]));
        });
    }

    private static RpcMessage reply(Fetched f) {
        FetchReply reply = FetchReply.newBuilder()
                .addAllValues(f.values())
                .setMapVersion(f.mapVersion())
                .setEpoch(f.epoch())
                .build();
        return new RpcMessage(reply, f.data(), f.onDone());
    }

    private Mono<RpcMessage> enumerate(EnumerateRequest r, RpcCall call) {
        return admitted(call, r.getAddress(), Right.READ, () -> enumerate(r));
    }

    private Mono<RpcMessage> enumerate(EnumerateRequest r) {
        TargetProxy unit = target(r.getAddress().getTarget());
        long start = unit.metrics().begin(TargetMetrics.Op.OBJ_ENUM);
        return unit.<io.daosmesh.model.wire.EnumerateReply>request((t, answer) -> t.enumerate(r, answer))
                .map(RpcMessage::of)
                .doFinally(s -> unit.metrics().end(TargetMetrics.Op.OBJ_ENUM, start, 0));
    }

    private Mono<RpcMessage> commit(DtxBatchRequest r, RpcCall call) {
        UUID pool = Ids.uuid(r.getPool());
        target(r.getTarget()).run(t -> t.commit(pool, r.getDtxsList()));
        return Mono.just(RpcMessage.of(Empty.getDefaultInstance()));
    }

    private Mono<RpcMessage> abort(DtxBatchRequest r, RpcCall call) {
        UUID pool = Ids.uuid(r.getPool());
        target(r.getTarget()).run(t -> t.abort(pool, r.getMapVersion(), r.getDtxsList()));
        return Mono.just(RpcMessage.of(Empty.getDefaultInstance()));
    }

    private Mono<RpcMessage> check(DtxBatchRequest r, RpcCall call) {
        UUID pool = Ids.uuid(r.getPool());
        return target(r.getTarget())
                .<List<Integer>>request((t, answer) -> t.check(pool, r.getDtxsList(), answer))
                .map(states -> RpcMessage.of(
                        DtxBatchReply.newBuilder().addAllStates(states).build()));
    }

    private Mono<RpcMessage> record(RecordPullRequest r, RpcCall call) {
        return target(r.getAddress().getTarget())
                .<Migration.Exported>request((t, answer) -> t.record(r, answer))
                .map(e -> new RpcMessage(
                        MigrationBatchMessage.newBuilder()
                                .addAllRecords(e.records())
                                .build(),
                        e.data(),
                        e.onDone()));
    }

    private Mono<RpcMessage> resolve(DtxResolveRequest r, RpcCall call) {
        return target(r.getAddress().getTarget())
                .<Integer>request((t, answer) -> t.resolve(r, answer))
                .map(state -> RpcMessage.of(
                        DtxBatchReply.newBuilder().addStates(state).build()));
    }
}

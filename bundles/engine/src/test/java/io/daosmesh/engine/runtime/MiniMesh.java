package io.daosmesh.engine.runtime;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.fake.FixedMaps;
import io.daosmesh.engine.fake.Handles;
import io.daosmesh.engine.fake.MemoryStorage;
import io.daosmesh.engine.fake.Wire;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchReply;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.UpdateReply;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/** Engines of a few ranks in one process with the shipped classes, and a client that tries again as the real one does. */
final class MiniMesh implements AutoCloseable {
    static final Duration WAIT = Duration.ofSeconds(20);

    final UUID pool = new UUID(11, 12);
    final UUID container = new UUID(13, 14);
    final Wire wire = new Wire();
    final Handles handles;
    /** Of the container, to read and write. */
    final ByteString handle;

    final List<MemoryStorage> storages = new ArrayList<>();
    final List<FixedMaps> maps = new ArrayList<>();
    final List<EngineRuntime> engines = new ArrayList<>();
    final Hlc hlc = new Hlc(() -> System.currentTimeMillis() * 1_000_000L);
    final AtomicLong retries = new AtomicLong();
    /** Ids of raised events, each with its container. */
    final List<String> events = new CopyOnWriteArrayList<>();

    volatile PoolMap map;
    private final int targetCount;
    private final GroupMap group;
    private final List<ScheduledExecutorService> loops = Stream.generate(Executors::newSingleThreadScheduledExecutor)
            .limit(8)
            .toList();

    MiniMesh(int ranks, int targetCount) {
        this(ranks, targetCount, 0);
    }

    /** @param spares ranks, the last ones, that are not in the pool */
    MiniMesh(int ranks, int targetCount, int spares) {
        this.targetCount = targetCount;
        List<Member> members = new ArrayList<>();
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < ranks; r++) {
            members.add(new Member(
                    r, new UUID(r, r), "host:" + (1 + r), "/n" + r, MemberState.JOINED, 1, targetCount, 0, "", 0));
            for (int t = 0; r < ranks - spares && t < targetCount; t++)
                targets.add(new PoolTarget(targets.size(), r, t, "/n" + r, TargetState.UPIN, false, 1));
        }
        group = new GroupMap("test", 1, members);
        map = new PoolMap(pool, 1, targets);
        handles = new Handles(wire, group, pool);
        handle = handles.open(container, 3, wire.user.orElseThrow());
        for (int r = 0; r < ranks; r++) {
            storages.add(new MemoryStorage(targetCount));
            maps.add(new FixedMaps(group));
            engines.add(open(r));
        }
        for (int r = 0; r < ranks - spares; r++) createPool(r);
        maps.forEach(m -> m.push(map));
    }

    void createPool(int rank) {
        createPool(rank, 0);
    }

    /** @param term of the pool service that extends the pool; 0 = it is made */
    void createPool(int rank, long term) {
        TargetCreateRequest r = TargetCreateRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .setScmBytesPerTarget(64 << 20)
                .setNvmeBytesPerTarget(16 << 20)
                .setMap(map.toWire())
                .setTerm(term)
                .build();
        call(rank, RpcMethod.TARGET_CREATE, r, RpcMessage.NO_DATA, x -> 1).block(WAIT);
    }

    EngineRuntime open(int rank) {
        EngineRuntime e = runtime(rank);
        e.open();
        return e;
    }

    /** Not open yet. */
    EngineRuntime runtime(int rank) {
        EngineContext context = new EngineContext(
                wire.from(rank),
                wire.server(),
                maps.get(rank),
                index -> loops.get((rank * targetCount + index) % loops.size()),
                hlc,
                () -> new WholeMembership(),
                () -> (id, severity, message, fields) -> events.add(id + " " + fields.getOrDefault("cont", "")),
                new EngineContext.Settings(1, 10_000));
        return new EngineRuntime(
                new RankIdentity(0, rank, new UUID(rank, rank), "host:" + (1 + rank), "/n" + rank, targetCount, 1),
                storages.get(rank),
                context);
    }

    /** The engine goes away; {@code isKilled}: storage forgets what it held in memory, too. */
    void stop(int rank, boolean isKilled) {
        engines.get(rank).close();
        if (isKilled) storages.get(rank).forget();
    }

    void start(int rank) {
        engines.set(rank, open(rank));
    }

    void push(PoolMap next) {
        map = next;
        maps.forEach(m -> m.push(next));
    }

    ObjectId oid(ObjectClass c, int groups, long low) {
        return ObjectId.of(ObjectId.Type.KEY_VALUE, c, groups, 0, low);
    }

    PoolTarget leader(ObjectId oid, byte[] dkey) {
        return map.target(Placement.group(map, oid, dkey).leader());
    }

    ShardAddress address(ObjectId oid, byte[] dkey) {
        return new ShardAddress(pool, container, oid, Placement.groupOf(oid, dkey), map.version());
    }

    ObjectAddress wire(ShardAddress address, int target) {
        return address.toWire(target).toBuilder().setHandle(handle).build();
    }

    <T> Mono<T> call(int rank, RpcMethod method, MessageLite body, ByteBuffer data, RpcReply.Decoder<T> decoder) {
        return wire.call(
                new Endpoint("host", 1 + rank, rank),
                method,
                new RpcMessage(body, data, () -> {}),
                Duration.ofSeconds(8),
                decoder);
    }

    DtxId dtx() {
        return new DtxId(new UUID(99, 99), hlc.now());
    }

    static ValueMessage value(String akey, int kind, long offset, byte[] bytes) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setKind(kind)
                .setOffset(offset)
                .setLength(bytes.length)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(bytes)))
                .build();
    }

    /** One try at the present map's leader. */
    Mono<Long> tryUpdate(ObjectId oid, byte[] dkey, ValueMessage v, byte[] bytes, WriteOp.Dtx dtx) {
        return Mono.defer(() -> {
            PoolTarget t = leader(oid, dkey);
            UpdateRequest r = UpdateRequest.newBuilder()
                    .setAddress(wire(address(oid, dkey), t.index()))
                    .setDkey(ByteString.copyFrom(dkey))
                    .addValues(v)
                    .setDtx(WriteOp.dtxMessage(dtx.id()))
                    .setResent(dtx.isResent())
                    .setConditionValue(dtx.condition())
                    .build();
            return call(
                    t.rank(),
                    RpcMethod.OBJECT_UPDATE,
                    r,
                    ByteBuffer.wrap(bytes),
                    x -> UpdateReply.parseFrom(x.body()).getEpoch());
        });
    }

    /** Tries again with the same DTX id for as long as it may help. */
    long update(ObjectId oid, byte[] dkey, ValueMessage v, byte[] bytes) {
        DtxId id = dtx();
        return retrying(resent -> tryUpdate(oid, dkey, v, bytes, new WriteOp.Dtx(id, 0, 0, resent)));
    }

    long put(ObjectId oid, byte[] dkey, byte[] bytes) {
        return update(oid, dkey, value("v", 0, 0, bytes), bytes);
    }

    /** One try of an atomic change; all keys are of one group, {@code data} holds the bytes of all values. */
    Mono<Long> tryChange(ObjectId oid, List<KeyChange> changes, byte[] data, DtxId id, boolean isResent) {
        return Mono.defer(() -> {
            byte[] dkey = changes.get(0).dkey();
            PoolTarget t = leader(oid, dkey);
            ChangeRequest r = ChangeRequest.newBuilder()
                    .setAddress(wire(address(oid, dkey), t.index()))
                    .addAllChanges(changes.stream().map(KeyChange::toWire).toList())
                    .setDtx(WriteOp.dtxMessage(id))
                    .setResent(isResent)
                    .build();
            return call(
                    t.rank(),
                    RpcMethod.OBJECT_CHANGE,
                    r,
                    ByteBuffer.wrap(data),
                    x -> UpdateReply.parseFrom(x.body()).getEpoch());
        });
    }

    long change(ObjectId oid, List<KeyChange> changes, byte[] data) {
        DtxId id = dtx();
        return retrying(resent -> tryChange(oid, changes, data, id, resent));
    }

    <T> T retrying(java.util.function.Function<Boolean, Mono<T>> attempt) {
        long deadline = System.nanoTime() + WAIT.toNanos();
        boolean isResent = false;
        while (true) {
            try {
                return attempt.apply(isResent).block(WAIT);
            } catch (FaultException e) {
                boolean isFinal = e.code().retry() == FaultCode.Retry.NEVER || System.nanoTime() > deadline;
                if (isFinal) throw e;
                retries.incrementAndGet();
                isResent = true;
                java.util.concurrent.locks.LockSupport.parkNanos(10_000_000);
            }
        }
    }

    record Got(ValueMessage value, byte[] bytes, long epoch) {}

    Mono<Got> tryFetch(PoolTarget t, ObjectId oid, byte[] dkey, ValueMessage v, long epoch) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(wire(address(oid, dkey), t.index()))
                .setDkey(ByteString.copyFrom(dkey))
                .addValues(v)
                .setEpoch(epoch)
                .build();
        return call(t.rank(), RpcMethod.OBJECT_FETCH, r, RpcMessage.NO_DATA, x -> {
            FetchReply reply = FetchReply.parseFrom(x.body());
            byte[] bytes = new byte[x.data().remaining()];
            x.data().get(bytes);
            return new Got(reply.getValues(0), bytes, reply.getEpoch());
        });
    }

    Got fetch(ObjectId oid, byte[] dkey, String akey, int kind, long offset, long length) {
        ValueMessage v = ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setKind(kind)
                .setOffset(offset)
                .setLength(length)
                .build();
        return retrying(x -> Mono.defer(() -> tryFetch(leader(oid, dkey), oid, dkey, v, 0)));
    }

    Optional<byte[]> get(ObjectId oid, byte[] dkey) {
        Got g = fetch(oid, dkey, "v", 0, 0, 0);
        return g.value.getAbsent() ? Optional.empty() : Optional.of(g.bytes);
    }

    long punch(ObjectId oid, int level, byte[] dkey) {
        DtxId id = dtx();
        return retrying(resent -> Mono.defer(() -> {
            PoolTarget t = leader(oid, dkey);
            PunchRequest r = PunchRequest.newBuilder()
                    .setAddress(wire(address(oid, dkey), t.index()))
                    .setLevel(level)
                    .setDkey(ByteString.copyFrom(dkey))
                    .setDtx(WriteOp.dtxMessage(id))
                    .setResent(resent)
                    .build();
            return call(
                    t.rank(),
                    RpcMethod.OBJECT_PUNCH,
                    r,
                    RpcMessage.NO_DATA,
                    x -> UpdateReply.parseFrom(x.body()).getEpoch());
        }));
    }

    EnumerateReply enumerate(ObjectId oid, int group, int kind, byte[] dkey) {
        return retrying(x -> Mono.defer(() -> {
            PoolTarget t = map.target(Placement.group(map, oid, group).leader());
            EnumerateRequest r = EnumerateRequest.newBuilder()
                    .setAddress(wire(new ShardAddress(pool, container, oid, group, map.version()), t.index()))
                    .setKind(kind)
                    .setDkey(ByteString.copyFrom(dkey))
                    .setCountMax(1000)
                    .build();
            return call(
                    t.rank(),
                    RpcMethod.OBJECT_ENUMERATE,
                    r,
                    RpcMessage.NO_DATA,
                    y -> EnumerateReply.parseFrom(y.body()));
        }));
    }

    @Override
    public void close() {
        engines.forEach(EngineRuntime::close);
        wire.close();
        loops.forEach(ExecutorService::shutdown);
    }
}

package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.ManualLoop;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.shard.Host;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.Peers;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** One target with hand-driven time, peers and commits. */
abstract class TargetFixture {
    final UUID pool = new UUID(1, 1);
    final MemoryKvStore kv = new MemoryKvStore();
    final ManualLoop loop = new ManualLoop(kv);
    final DirectBuffers buffers = new DirectBuffers();
    DirectBuffers cached = new DirectBuffers();
    final MemoryBlob blob = new MemoryBlob(4 << 20);
    final SpaceAccount scm = new SpaceAccount(1 << 20);
    final List<String> sent = new ArrayList<>();
    final List<Done> replies = new ArrayList<>();
    final List<Answer<Integer>> questions = new ArrayList<>();
    final List<Answer<ByteBuffer>> records = new ArrayList<>();
    long nowNs = 1_000_000_000_000L;
    boolean hasMajority = true;
    long foundEpoch;
    Fault noRoom;
    Fault noRoomToDelete;
    final HandLeases leases = new HandLeases();
    /** Of the wall clock, which may be set. */
    long wallNs;

    Hlc hlc = clock();
    int rank = 0;
    int updatesMax = DtxRoom.TARGET_MAX;
    Target target = open();

    /** Of a process that has just started. */
    Hlc clock() {
        return new Hlc(() -> Hlc.ORIGIN_MS * 1_000_000L + nowNs + wallNs);
    }

    private Peers peers() {
        return new Peers() {
            @Override
            public void shardWrite(int r, int t, WriteOp op, Runnable onSent, Done reply) {
                sent.add("write " + r);
                replies.add(reply);
                onSent.run();
            }

            @Override
            public void commit(int r, DtxBatchRequest request) {
                sent.add("commit " + r + " x" + request.getDtxsCount());
            }

            @Override
            public void abort(int r, DtxBatchRequest request) {
                sent.add("abort " + r);
            }

            @Override
            public void record(int r, RecordPullRequest request, Answer<ByteBuffer> answer) {
                sent.add("record " + r);
                records.add(answer);
            }

            @Override
            public void resolve(int r, DtxResolveRequest request, Answer<Integer> answer) {
                sent.add("resolve " + r);
                questions.add(answer);
            }
        };
    }

    Target open() {
        Host host = new Host() {
            @Override
            public long nowNs() {
                return nowNs;
            }

            @Override
            public long hlcNow() {
                return hlc.now();
            }

            @Override
            public void sawEpoch(long epoch) {
                hlc.merge(epoch);
            }

            @Override
            public void foundEpoch(long epoch) {
                foundEpoch = epoch;
            }

            @Override
            public boolean hasMajority() {
                return hasMajority;
            }

            @Override
            public Leases leases() {
                return leases;
            }

            @Override
            public void awaits(UUID p, Set<Integer> ranks) {
                sent.add("awaits " + ranks);
            }

            @Override
            public void needMap(UUID p, int version) {
                sent.add("map " + version);
            }

            @Override
            public Fault noRoom(boolean isDelete) {
                return isDelete ? noRoomToDelete : noRoom;
            }

            @Override
            public void onDamage(UUID p, Fault fault) {
                sent.add("damage");
            }
        };
        return new Target(
                new TargetContext(rank, 0, kv, buffers, loop.pipeline(), loop, peers(), host, new DtxRoom(updatesMax)),
                new ValueCache(cached));
    }

    static PoolMap map(int version, TargetState second) {
        return new PoolMap(
                new UUID(1, 1),
                version,
                List.of(
                        new PoolTarget(0, 0, 0, "/a", TargetState.UPIN, false, 1),
                        new PoolTarget(1, 1, 0, "/b", second, false, version)));
    }

    final ObjectId single = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.SINGLE, 1, 0, led(ObjectClass.SINGLE));
    final ObjectId twice = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, led(ObjectClass.RP_2));

    /** An object that target 0 leads. */
    static long led(ObjectClass c) {
        for (long low = 0; ; low++) {
            ObjectId o = ObjectId.of(ObjectId.Type.KEY_VALUE, c, 1, 0, low);
            if (Placement.group(map(1, TargetState.UPIN), o, 0).leader() == 0) return low;
        }
    }

    void start(PoolMap map) {
        PoolSpace space = new PoolSpace(pool, 0, scm, blob);
        target.open(List.of());
        target.create(space, map, 4096, f -> assertNull(f));
        loop.drain();
    }

    WriteOp write(ObjectId oid, String dkey, int size, int version, DtxId id) {
        return write(oid, dkey, "v", size, version, id);
    }

    WriteOp write(ObjectId oid, String dkey, String akey, int size, int version, DtxId id) {
        byte[] b = new byte[size];
        b[0] = (byte) dkey.hashCode();
        ValueMessage v = ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setLength(size)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(b)))
                .build();
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), oid, 0, version);
        return new WriteOp(
                a, WriteOp.UPDATE, dkey.getBytes(), List.of(v), ByteBuffer.wrap(b), new WriteOp.Dtx(id, 0, 0, false));
    }

    DtxId id(long n) {
        return new DtxId(new UUID(5, 5), n);
    }

    List<String> outcome(java.util.function.Consumer<Answer<Long>> work) {
        List<String> out = new ArrayList<>();
        work.accept((v, f) -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();
        return out;
    }

    String fetch(ObjectId oid, String dkey, int version) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, version).toWire(0))
                .setDkey(ByteString.copyFromUtf8(dkey))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .build();
        List<String> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            if (f != null) out.add(f.code().name());
            else out.add(v.values().get(0).getAbsent() ? "absent" : v.data().remaining() + " bytes");
            if (v != null) v.onDone().run();
        });
        loop.drain();
        return out.get(0);
    }

    static ObjectId ledBySecond(ObjectClass c) {
        for (long low = 0; ; low++) {
            ObjectId o = ObjectId.of(ObjectId.Type.KEY_VALUE, c, 1, 0, low);
            if (Placement.group(map(1, TargetState.UPIN), o, 0).leader() == 1) return o;
        }
    }
}

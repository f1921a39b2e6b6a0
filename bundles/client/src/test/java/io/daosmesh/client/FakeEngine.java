package io.daosmesh.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.client.request.Values;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxMessage;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.ExtentMessage;
import io.daosmesh.model.wire.FetchReply;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateReply;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Objects of the fake system: one copy for all replicas, guarded by the rules of the leader. Owner: FakeCluster's lock. */
final class FakeEngine {
    private static final Comparator<ByteString> BY_BYTES = ByteString.unsignedLexicographicalComparator();

    /** Single value, or the bytes of an array with those that are there. */
    private static final class Cell {
        byte[] bytes = {};
        final BitSet there = new BitSet();
        boolean isArray;
        long version;
    }

    private record Where(ByteString container, ObjectId oid, int group) {}

    private final FakeCluster cluster;
    private final Map<Where, TreeMap<ByteString, TreeMap<ByteString, Cell>>> objects = new java.util.HashMap<>();
    private final Map<DtxMessage, Long> done = new java.util.HashMap<>();
    private long epoch;
    int applied;
    /** Reads that need not be answered by the leader. */
    int readsOfAny;
    /** Reads that find their bytes damaged on the media. */
    int damageNext;
    /** Every server answers reads with bytes that do not fit their checksum. */
    boolean damageAll;
    /** So many reads find a device that has failed. */
    int deviceErrors;

    FakeEngine(FakeCluster cluster) {
        this.cluster = cluster;
    }

    RpcMessage serve(int rank, RpcMethod method, MessageLite body, ByteBuffer data) {
        checkNames(body);
        return switch (method) {
            case OBJECT_UPDATE -> update(rank, (UpdateRequest) body, data);
            case OBJECT_CHANGE -> change(rank, (ChangeRequest) body, data);
            case OBJECT_PUNCH -> punch(rank, (PunchRequest) body);
            case OBJECT_FETCH -> fetch(rank, (FetchRequest) body);
            case OBJECT_ENUMERATE -> enumerate(rank, (EnumerateRequest) body);
            default -> throw FakeCluster.fault(FaultCode.NOSYS);
        };
    }

    /** Whoever names keys says their checksum. */
    private static void checkNames(MessageLite body) {
        if (body instanceof UpdateRequest r) {
            NameSum sum = NameSum.at(r.getAddress(), NameSum.UPDATE);
            expect(sum.dkey(r.getDkey().toByteArray(), r.getValuesList()), r.getNamesCrc32C());
        } else if (body instanceof ChangeRequest r) {
            NameSum sum = NameSum.at(r.getAddress(), NameSum.CHANGES);
            r.getChangesList().forEach(c -> sum.dkey(c.getDkey().toByteArray(), c.getValuesList()));
            expect(sum, r.getNamesCrc32C());
        } else if (body instanceof PunchRequest r) {
            NameSum sum = NameSum.at(r.getAddress(), r.getLevel());
            expect(sum.dkey(r.getDkey().toByteArray(), r.getValuesList()), r.getNamesCrc32C());
        } else if (body instanceof FetchRequest r) {
            NameSum sum = NameSum.at(r.getAddress(), NameSum.FETCH);
            expect(sum.dkey(r.getDkey().toByteArray(), r.getValuesList()), r.getNamesCrc32C());
        }
    }

    private static void expect(NameSum sum, int told) {
        if (told != sum.sum()) throw new IllegalStateException("names " + told + ", expected " + sum.sum());
    }

    private Where check(int rank, ObjectAddress a, boolean leaderOnly) {
        ObjectId oid = new ObjectId(a.getOidHigh(), a.getOidLow());
        if (a.getMapVersion() < cluster.map.version()) {
            throw Fault.of(FaultCode.STALE)
                    .with("have", a.getMapVersion())
                    .with("need", cluster.map.version())
                    .asException();
        }
        ShardGroup layout = Placement.group(cluster.map, oid, a.getGroup());
        PoolTarget leader = cluster.map.target(layout.leader());
        boolean isLeader = leader.rank() == rank && leader.index() == a.getTarget();
        boolean isHolder = layout.settled().stream()
                .map(cluster.map::target)
                .anyMatch(t -> t.rank() == rank && t.index() == a.getTarget());
        if (leaderOnly ? !isLeader : !isHolder) throw new IllegalStateException("sent to the wrong target: " + a);
        return new Where(a.getContainer(), oid, a.getGroup());
    }

    private TreeMap<ByteString, TreeMap<ByteString, Cell>> object(Where where) {
        return objects.computeIfAbsent(where, w -> new TreeMap<>(BY_BYTES));
    }

    private RpcMessage update(int rank, UpdateRequest r, ByteBuffer data) {
        Where where = check(rank, r.getAddress(), true);
        if (Placement.groupOf(where.oid(), r.getDkey().toByteArray()) != where.group())
            throw new IllegalStateException();
        if (done.containsKey(r.getDtx())) {
            if (!r.getResent()) throw new IllegalStateException("a resend that does not say so");
            return epochOf(r.getDtx());
        }
        var object = object(where);
        boolean exists = object.containsKey(r.getDkey());
        if (r.getConditionValue() == 1 && exists) throw FakeCluster.fault(FaultCode.EXIST);
        if (r.getConditionValue() == 2 && !exists) throw FakeCluster.fault(FaultCode.NONEXIST);
        epoch++;
        write(object.computeIfAbsent(r.getDkey(), k -> new TreeMap<>(BY_BYTES)), r.getValuesList(), data);
        if (data.hasRemaining()) throw new IllegalStateException("more bytes than values");
        return finish(r.getDtx());
    }

    private RpcMessage finish(DtxMessage dtx) {
        done.put(dtx, epoch);
        applied++;
        return epochOf(dtx);
    }

    private RpcMessage epochOf(DtxMessage dtx) {
        return RpcMessage.of(UpdateReply.newBuilder().setEpoch(done.get(dtx)).build());
    }

    private void write(TreeMap<ByteString, Cell> akeys, List<ValueMessage> values, ByteBuffer data) {
        for (ValueMessage v : values) {
            byte[] bytes = new byte[(int) v.getLength()];
            data.get(bytes);
            if (Values.crc32c(ByteBuffer.wrap(bytes)) != v.getCrc32C()) throw FakeCluster.fault(FaultCode.CSUM);
            Cell cell = akeys.computeIfAbsent(v.getAkey(), k -> new Cell());
            write(cell, v, bytes);
            cell.version = epoch;
        }
    }

    private RpcMessage change(int rank, ChangeRequest r, ByteBuffer data) {
        Where where = check(rank, r.getAddress(), true);
        if (done.containsKey(r.getDtx())) {
            if (!r.getResent()) throw new IllegalStateException("a resend that does not say so");
            return epochOf(r.getDtx());
        }
        var object = object(where);
        for (KeyChangeMessage c : r.getChangesList()) {
            if (Placement.groupOf(where.oid(), c.getDkey().toByteArray()) != where.group())
                throw new IllegalStateException("a key of another group");
            if (c.getPunch() != (c.getValuesCount() == 0)) throw new IllegalStateException("neither write nor punch");
            checkCondition(object, c);
        }
        epoch++;
        for (KeyChangeMessage c : r.getChangesList()) {
            if (c.getPunch()) object.remove(c.getDkey());
            else write(object.computeIfAbsent(c.getDkey(), k -> new TreeMap<>(BY_BYTES)), c.getValuesList(), data);
        }
        if (data.hasRemaining()) throw new IllegalStateException("more bytes than values");
        return finish(r.getDtx());
    }

    private static void checkCondition(TreeMap<ByteString, TreeMap<ByteString, Cell>> object, KeyChangeMessage c) {
        var akeys = object.get(c.getDkey());
        Cell cell = akeys == null ? null : akeys.get(c.getAkey());
        boolean exists = c.getAkey().isEmpty() ? akeys != null : cell != null;
        long version = cell == null ? 0 : cell.version;
        if (c.getConditionValue() == 1 && exists) throw FakeCluster.fault(FaultCode.EXIST);
        if (c.getConditionValue() == 2 && !exists) throw FakeCluster.fault(FaultCode.NONEXIST);
        if (c.getConditionValue() == 3 && version != c.getVersion()) throw FakeCluster.fault(FaultCode.TX_RESTART);
    }

    private static void write(Cell cell, ValueMessage v, byte[] bytes) {
        cell.isArray = v.getKind() == 1;
        if (!cell.isArray) {
            cell.bytes = bytes;
            return;
        }
        int end = (int) v.getOffset() + bytes.length;
        if (cell.bytes.length < end) cell.bytes = java.util.Arrays.copyOf(cell.bytes, end);
        System.arraycopy(bytes, 0, cell.bytes, (int) v.getOffset(), bytes.length);
        cell.there.set((int) v.getOffset(), end);
    }

    private RpcMessage punch(int rank, PunchRequest r) {
        Where where = check(rank, r.getAddress(), true);
        if (done.containsKey(r.getDtx())) return epochOf(r.getDtx());
        var object = object(where);
        if (r.getConditionValue() == 2 && !object.containsKey(r.getDkey())) {
            throw FakeCluster.fault(FaultCode.NONEXIST);
        }
        epoch++;
        switch (r.getLevel()) {
            case 0 -> object.clear();
            case 1 -> object.remove(r.getDkey());
            case 2 ->
                r.getValuesList()
                        .forEach(v -> object.getOrDefault(r.getDkey(), new TreeMap<>(BY_BYTES))
                                .remove(v.getAkey()));
            default ->
                r.getValuesList()
                        .forEach(v -> object.get(r.getDkey())
                                .get(v.getAkey())
                                .there
                                .clear((int) v.getOffset(), (int) (v.getOffset() + v.getLength())));
        }
        return finish(r.getDtx());
    }

    private RpcMessage fetch(int rank, FetchRequest r) {
        Where where = check(rank, r.getAddress(), r.getEpoch() == 0 && !r.getAnyReplica());
        if (r.getAnyReplica()) readsOfAny++;
        var akeys = object(where).getOrDefault(r.getDkey(), new TreeMap<>(BY_BYTES));
        if (damageNext > 0) {
            damageNext--;
            throw Fault.of(FaultCode.CSUM).with("epoch", 77).asException();
        }
        if (deviceErrors > 0) {
            deviceErrors--;
            throw Fault.of(FaultCode.NVME_IO).with("epoch", 77).asException();
        }
        FetchReply.Builder reply = FetchReply.newBuilder();
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        for (ValueMessage v : r.getValuesList()) {
            Cell cell = akeys.get(v.getAkey());
            if (cell == null || cell.isArray && cell.there.isEmpty()) {
                reply.addValues(v.toBuilder().setAbsent(true).setLength(0));
                continue;
            }
            byte[] bytes = cell.isArray ? range(cell, (int) v.getOffset(), (int) v.getLength()) : cell.bytes;
            int crc = Values.crc32c(ByteBuffer.wrap(bytes));
            reply.addValues(v.toBuilder()
                    .setLength(bytes.length)
                    .setCrc32C(damageAll ? crc ^ 1 : crc)
                    .setVersion(cell.isArray ? 0 : cell.version));
            out.writeBytes(bytes);
        }
        return RpcMessage.of(reply.build(), ByteBuffer.wrap(out.toByteArray()));
    }

    /** Up to the last byte that is there: what follows is left out. */
    private static byte[] range(Cell cell, int offset, int length) {
        int end = Math.max(offset, Math.min(offset + length, cell.there.length()));
        byte[] bytes = new byte[end - offset];
        for (int i = offset; i < end; i++) bytes[i - offset] = cell.there.get(i) ? cell.bytes[i] : 0;
        return bytes;
    }

    private RpcMessage enumerate(int rank, EnumerateRequest r) {
        Where where = check(rank, r.getAddress(), true);
        var object = object(where);
        var akeys = object.getOrDefault(r.getDkey(), new TreeMap<>(BY_BYTES));
        EnumerateReply.Builder reply = EnumerateReply.newBuilder();
        if (r.getKind() == 2) {
            Cell cell = akeys.get(r.getAkey());
            if (cell != null) extents(cell).forEach(reply::addExtents);
            return RpcMessage.of(reply.setEnd(true).build());
        }
        TreeMap<ByteString, ?> keys = r.getKind() == 0 ? object : akeys;
        // Small pages whatever was asked for, so that every listing needs several.
        List<ByteString> page = new ArrayList<>();
        for (ByteString key : r.getAnchor().isEmpty()
                ? keys.keySet()
                : keys.tailMap(r.getAnchor(), false).keySet()) {
            if (page.size() == 3)
                return RpcMessage.of(
                        reply.addAllKeys(page).setAnchor(page.get(2)).build());
            page.add(key);
        }
        return RpcMessage.of(reply.addAllKeys(page).setEnd(true).build());
    }

    private static List<ExtentMessage> extents(Cell cell) {
        List<ExtentMessage> extents = new ArrayList<>();
        int from = cell.there.nextSetBit(0);
        while (from >= 0) {
            int to = cell.there.nextClearBit(from);
            extents.add(ExtentMessage.newBuilder()
                    .setOffset(from)
                    .setLength(to - from)
                    .build());
            from = cell.there.nextSetBit(to);
        }
        return extents;
    }
}

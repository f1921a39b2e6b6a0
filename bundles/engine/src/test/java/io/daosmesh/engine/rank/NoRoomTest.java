package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The storage under a target says that it has no room: new data is refused at the door. */
class NoRoomTest extends TargetFixture {
    @Test
    void shouldTakeReadsAndDeletesOnly() {
        start(map(1, TargetState.UPIN));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 10, 1, id(1)), a)));
        long usedBytes = scm.usedBytes();
        noRoom = Fault.of(FaultCode.NOSPACE, "the SCM is full");

        assertEquals(List.of("NOSPACE"), outcome(a -> target.write(write(twice, "b", 10, 1, id(2)), a)));
        assertEquals(List.of("NOSPACE"), memberOutcome(memberWrite(id(3))));
        assertEquals(List.of("NOSPACE"), imported());
        assertEquals(List.of(), sent, "nothing was begun");
        assertEquals(usedBytes, scm.usedBytes());
        assertEquals("10 bytes", fetch(single, "a", 1));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 10, 1, id(1)), a)), "sent again");
        assertEquals(List.of("ok"), outcome(a -> target.write(punch(single, "a", id(4)), a)));
        assertEquals("absent", fetch(single, "a", 1));

        noRoomToDelete = noRoom;
        assertEquals(List.of("NOSPACE"), outcome(a -> target.write(punch(single, "a", id(5)), a)));

        noRoom = null;
        noRoomToDelete = null;
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 10, 1, id(6)), a)));
        assertEquals(List.of("ok"), memberOutcome(memberWrite(id(3))));
        assertEquals(List.of("ok"), imported());
    }

    private WriteOp memberWrite(DtxId id) {
        return write(ledBySecond(ObjectClass.RP_2), "c", 10, 1, id).withEpoch(hlc.now(), 1);
    }

    private WriteOp punch(ObjectId oid, String dkey, DtxId id) {
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), oid, 0, 1);
        return new WriteOp(
                a, WriteOp.DKEY, dkey.getBytes(), List.of(), ByteBuffer.allocate(0), new WriteOp.Dtx(id, 0, 0, false));
    }

    private List<String> memberOutcome(WriteOp op) {
        List<String> out = new ArrayList<>();
        target.shardWrite(op, f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();
        return out;
    }

    private List<String> imported() {
        ByteBuffer bytes = ByteBuffer.wrap(new byte[10]);
        MigratedRecordMessage record = MigratedRecordMessage.newBuilder()
                .setKind(VosRecord.SINGLE)
                .setEpoch(hlc.now())
                .setLength(10)
                .setCrc32C(VosWriter.crc(bytes))
                .setDkey(ByteString.copyFromUtf8("d"))
                .setAkey(ByteString.copyFromUtf8("v"))
                .build();
        List<String> out = new ArrayList<>();
        target.importBatch(
                new ShardAddress(pool, new UUID(2, 2), twice, 0, 1),
                List.of(record),
                bytes,
                f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();
        return out;
    }
}

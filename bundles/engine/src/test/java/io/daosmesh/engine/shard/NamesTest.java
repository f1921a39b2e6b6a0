package io.daosmesh.engine.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** No bit of a request can change so that something else is written or deleted than its client has named. */
class NamesTest {
    private static final byte[] DKEY = "a dkey".getBytes(StandardCharsets.UTF_8);
    private static final ByteBuffer DATA = ByteBuffer.wrap(new byte[24]);
    private static final ObjectAddress ADDRESS = ObjectAddress.newBuilder()
            .setPool(Ids.bytes(new UUID(1, 2)))
            .setContainer(Ids.bytes(new UUID(3, 4)))
            .setOidHigh(new ObjectId(0x0201_0001_0000_0001L, 77).high())
            .setOidLow(77)
            .setMapVersion(9)
            .build();
    private static final List<ValueMessage> VALUES = List.of(value("single", 0, 0), value("array", 1, 1 << 20));

    private interface Parser {
        WriteOp parse(byte[] body) throws InvalidProtocolBufferException;
    }

    private static ValueMessage value(String akey, int kind, long offset) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setKind(kind)
                .setOffset(offset)
                .setLength(12)
                .setCrc32C(0x12345678)
                .build();
    }

    private static NameSum sum(int what) {
        return NameSum.at(ADDRESS, what);
    }

    /** All that decides where what goes. */
    private static String named(WriteOp op) {
        List<String> all = new ArrayList<>();
        all.add(op.address().container() + " " + op.address().oid() + " " + op.level());
        if (op.level() == WriteOp.CHANGES) op.changes().forEach(c -> all.add(Arrays.toString(c.dkey()) + c.values()));
        else all.add(Arrays.toString(op.dkey()) + op.values());
        return all.toString();
    }

    private static void checkAllBits(MessageLite message, Parser parser) throws InvalidProtocolBufferException {
        byte[] good = message.toByteArray();
        WriteOp asSent = parser.parse(good);
        asSent.check();
        int caught = 0;
        for (int bit = 0; bit < 8 * good.length; bit++) {
            byte[] body = good.clone();
            body[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                WriteOp op = parser.parse(body);
                op.check();
                assertEquals(named(asSent), named(op), "bit " + bit);
            } catch (InvalidProtocolBufferException e) {
                // told apart before
            } catch (FaultException e) {
                if (e.code() == FaultCode.CSUM) caught++;
            }
        }
        assertTrue(caught > 8 * DKEY.length / 2, "bits that only the checksum finds: " + caught);
    }

    @Test
    void shouldFindEachBitOfAnUpdate() throws Exception {
        UpdateRequest r = UpdateRequest.newBuilder()
                .setAddress(ADDRESS)
                .setDkey(ByteString.copyFrom(DKEY))
                .addAllValues(VALUES)
                .setDtx(WriteOp.dtxMessage(new DtxId(new UUID(5, 6), 7)))
                .setNamesCrc32C(sum(NameSum.UPDATE).dkey(DKEY, VALUES).sum())
                .build();

        checkAllBits(r, body -> WriteOp.of(UpdateRequest.parseFrom(body), DATA.duplicate()));
    }

    @Test
    void shouldFindEachBitOfAPunch() throws Exception {
        List<ValueMessage> extents = List.of(value("array", 0, 1 << 20));
        PunchRequest r = PunchRequest.newBuilder()
                .setAddress(ADDRESS)
                .setLevel(WriteOp.EXTENTS)
                .setDkey(ByteString.copyFrom(DKEY))
                .addAllValues(extents)
                .setDtx(WriteOp.dtxMessage(new DtxId(new UUID(5, 6), 7)))
                .setNamesCrc32C(sum(WriteOp.EXTENTS).dkey(DKEY, extents).sum())
                .build();

        checkAllBits(r, body -> WriteOp.of(PunchRequest.parseFrom(body), ByteBuffer.allocate(0)));
    }

    @Test
    void shouldFindEachBitOfAChangeOfSeveralKeys() throws Exception {
        byte[] other = "b dkey".getBytes(StandardCharsets.UTF_8);
        ChangeRequest r = ChangeRequest.newBuilder()
                .setAddress(ADDRESS)
                .addChanges(KeyChangeMessage.newBuilder()
                        .setDkey(ByteString.copyFrom(DKEY))
                        .addAllValues(VALUES))
                .addChanges(KeyChangeMessage.newBuilder()
                        .setDkey(ByteString.copyFrom(other))
                        .setPunch(true))
                .setDtx(WriteOp.dtxMessage(new DtxId(new UUID(5, 6), 7)))
                .setNamesCrc32C(sum(NameSum.CHANGES)
                        .dkey(DKEY, VALUES)
                        .dkey(other, List.of())
                        .sum())
                .build();

        checkAllBits(r, body -> WriteOp.of(ChangeRequest.parseFrom(body), DATA.duplicate()));
    }
}

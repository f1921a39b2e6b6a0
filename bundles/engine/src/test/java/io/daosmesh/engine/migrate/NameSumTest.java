package io.daosmesh.engine.migrate;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class NameSumTest {
    private final UUID container = new UUID(2, 2);
    private final ObjectId oid = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 4, 0, 5);
    private final ShardAddress address = new ShardAddress(new UUID(1, 1), container, oid, 0, 3);

    private MigratedRecordMessage record() {
        MigratedRecordMessage.Builder b = MigratedRecordMessage.newBuilder()
                .setDkey(ByteString.copyFromUtf8("dkey"))
                .setAkey(ByteString.copyFromUtf8("akey"))
                .setKind(1)
                .setEpoch(77)
                .setOffset(4096)
                .setLength(100)
                .setCrc32C(5);
        return b.setNameCrc32C(NameSum.of(container, oid, b)).build();
    }

    private void assertRefused(ShardAddress to, MigratedRecordMessage m) {
        FaultException e = assertThrows(FaultException.class, () -> NameSum.check(to, m), m.toString());
        assertEquals(FaultCode.CSUM, e.code());
    }

    @Test
    void shouldFindEachChangeOfAName() {
        MigratedRecordMessage m = record();
        assertDoesNotThrow(() -> NameSum.check(address, m));
        assertDoesNotThrow(() -> NameSum.check(
                address, m.toBuilder().clearNameCrc32C().setOffset(1).build()));

        for (int bit = 0; bit < 64; bit++) {
            assertRefused(address, m.toBuilder().setOffset(4096 ^ 1L << bit).build());
            assertRefused(address, m.toBuilder().setLength(100 ^ 1L << bit).build());
            assertRefused(address, m.toBuilder().setEpoch(77 ^ 1L << bit).build());
            assertRefused(address, m.toBuilder().setCrc32C(5 ^ 1 << bit % 32).build());
        }
        assertRefused(address, m.toBuilder().setKind(0).build());
        assertRefused(address, m.toBuilder().setLost(true).build());
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            byte[] key = "dkey".getBytes();
            key[random.nextInt(4)] ^= (byte) (1 << random.nextInt(8));
            assertRefused(
                    address, m.toBuilder().setDkey(ByteString.copyFrom(key)).build());
            assertRefused(
                    address, m.toBuilder().setAkey(ByteString.copyFrom(key)).build());
        }
        for (List<String> moved : List.of(List.of("dkeya", "key"), List.of("dke", "yakey"), List.of("akey", "dkey")))
            assertRefused(
                    address,
                    m.toBuilder()
                            .setDkey(ByteString.copyFromUtf8(moved.get(0)))
                            .setAkey(ByteString.copyFromUtf8(moved.get(1)))
                            .build());
        assertRefused(new ShardAddress(new UUID(1, 1), new UUID(2, 3), oid, 0, 3), m);
        ObjectId other = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 4, 0, 6);
        assertRefused(new ShardAddress(new UUID(1, 1), container, other, 0, 3), m);
    }
}

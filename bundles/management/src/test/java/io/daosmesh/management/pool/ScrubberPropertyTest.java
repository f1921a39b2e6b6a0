package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.management.properties.ContainerProperties;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The property {@code scrubber} of a container, and what servers are told of it. */
class ScrubberPropertyTest {
    private PoolDb db = new PoolDb();

    @BeforeEach
    void pool() {
        PoolMap map =
                new PoolMap(new UUID(7, 7), 1, List.of(new PoolTarget(0, 0, 0, "/n0", TargetState.UPIN, false, 1)));
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(map.pool()))
                .putProperties("scrub", "lazy")
                .build();
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(entry).setMap(map.toWire())));
    }

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.build().toByteArray()));
    }

    private LogReply create(int n, String scrubber) {
        ContainerMessage asked = ContainerMessage.newBuilder()
                .setUuid(Ids.bytes(new UUID(0, n)))
                .setLabel("c" + n)
                .putProperties("scrubber", scrubber)
                .build();
        return apply(LogCommand.newBuilder().setContainerCreate(ContainerProperties.checked(asked, db.map())));
    }

    private LogReply set(int n, String key, String value) {
        return apply(LogCommand.newBuilder()
                .setContainerProperties(ContainerPropertiesRequest.newBuilder()
                        .setContainer("c" + n)
                        .putSet(key, value)));
    }

    private String told() {
        return db.propertiesMessage().getValuesOrDefault("unscrubbed", "");
    }

    private int version() {
        return db.propertiesMessage().getVersion();
    }

    @Test
    void shouldTellServersWhichContainersAreLeftAlone() {
        create(1, "on");
        assertEquals("", told());
        assertEquals(0, version());
        create(2, "off");
        assertEquals(new UUID(0, 2).toString(), told());
        assertEquals(1, version());

        set(1, "scrubber", "off");

        assertEquals(new UUID(0, 1) + "," + new UUID(0, 2), told());
        assertEquals(2, version());
        assertEquals("off", ContainerHealth.properties(db.container("c1")).get("scrubber"));
        assertFalse(db.properties().containsKey("unscrubbed"), "no property of the pool");
        set(1, "scrubber", "off");
        assertEquals(2, version(), "no news");
        PoolDb restored = new PoolDb();
        restored.restore(db.snapshot());
        db = restored;
        assertEquals(new UUID(0, 1) + "," + new UUID(0, 2), told());
        set(2, "scrubber", "on");
        apply(LogCommand.newBuilder().setContainerDestroy(Ids.bytes(new UUID(0, 1))));
        assertEquals("", told());
        assertEquals(4, version());
    }

    @Test
    void shouldRefuseWhatItIsNot() {
        for (String odd : List.of("", "On", "lazy", "0")) {
            FaultException made = assertThrows(FaultException.class, () -> create(1, odd));
            assertEquals(FaultCode.INVAL, made.code());
            FaultException set =
                    assertThrows(FaultException.class, () -> ContainerProperties.checkChange(Map.of("scrubber", odd)));
            assertEquals(FaultCode.INVAL, set.code());
        }
        ContainerProperties.checkChange(Map.of("scrubber", "on", "status", "healthy"));
    }

    @Test
    void shouldLeaveTheStatusAlone() {
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(0, 1)))
                        .setLabel("c1")
                        .setStatus(ContainerHealth.UNCLEAN)));

        set(1, "scrubber", "off");
        assertTrue(ContainerHealth.isUnclean(db.container("c1")));
        set(1, "status", "healthy");
        assertFalse(ContainerHealth.isUnclean(db.container("c1")));
        assertEquals("off", ContainerHealth.properties(db.container("c1")).get("scrubber"));
    }

    @Test
    void shouldTellOfABoundedNumber() {
        for (int n = 1; n <= Containers.UNSCRUBBED_MAX; n++) create(n, "off");

        LogReply refused = create(5000, "off");
        create(5001, "on");
        LogReply alsoRefused = set(5001, "scrubber", "off");

        assertEquals(FaultCode.OVERFLOW, Fault.fromWire(refused.getFault()).code());
        assertEquals(FaultCode.OVERFLOW, Fault.fromWire(alsoRefused.getFault()).code());
        assertFalse(set(7, "scrubber", "off").hasFault(), "it is one of them already");
    }
}

package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.raft.RatisSettings;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.management.system.service.SystemService;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PropertyMessage;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class CommandSizeTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 3);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private static LogCommand.Builder command(int bytes) {
        LogCommand.Builder small = of(0);
        // the length itself takes bytes, the clock is set later
        return of(bytes - small.setHlc(1).build().getSerializedSize() - 8);
    }

    private static LogCommand.Builder of(int valueBytes) {
        return LogCommand.newBuilder()
                .setProperty(PropertyMessage.newBuilder().setKey("k").setValue("v".repeat(Math.max(0, valueBytes))));
    }

    private static boolean has(TestMesh.Node n, int bytes) {
        String v = n.management.system().replica().read(SystemDb::properties).get("k");
        return v != null && v.length() > bytes;
    }

    @Test
    void shouldReplicateACommandWhenItIsAsLargeAsCommandsMayBe() {
        SystemService leader = mesh.systemLeader().management.system();

        leader.propose(command(RatisSettings.COMMAND_BYTES_MAX)).block(TestMesh.LONG);

        TestMesh.await(
                "all replicas have it",
                () -> mesh.nodes.stream().allMatch(n -> has(n, RatisSettings.COMMAND_BYTES_MAX - 100)));
    }

    @Test
    void shouldKeepItsLeaderWhenACommandIsTooLarge() {
        SystemService leader = mesh.systemLeader().management.system();
        long term = leader.term();

        for (int bytes : new int[] {RatisSettings.COMMAND_BYTES_MAX + 100, 300 << 10, 8 << 20}) {
            FaultException e = assertThrows(
                    FaultException.class, () -> leader.propose(command(bytes)).block(TestMesh.LONG));
            assertEquals(FaultCode.OVERFLOW, e.code());
            assertTrue(e.fault().text().startsWith("property of "), e.fault().text());
        }
        leader.propose(of(1)).block(TestMesh.LONG);

        assertTrue(leader.isLeader());
        assertEquals(term, leader.term());
        assertFalse(has(mesh.systemLeader(), 1));
    }
}

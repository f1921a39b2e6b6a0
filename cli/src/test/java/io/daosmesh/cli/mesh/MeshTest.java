package io.daosmesh.cli.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.DaosConfig;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.cli.mesh.MeshSettings.Shape;
import io.daosmesh.cli.mesh.net.Network;
import io.daosmesh.model.wire.MemberMessage;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeshTest {
    private static final MeshSettings SETTINGS =
            new MeshSettings(new Shape(3, 2, 4, 2, 1), false, true, 7, Optional.empty());
    private static final MeshSettings APART =
            new MeshSettings(new Shape(3, 1, 1, 1, 3), true, false, 7, Optional.of(new Network(2)));

    @TempDir
    Path folder;

    private Path dir;

    @BeforeEach
    void make() throws Exception {
        dir = Files.createDirectory(folder.resolve("mesh")).toRealPath();
        SETTINGS.write(dir);
        ConfigFiles files = new ConfigFiles(dir, SETTINGS);
        files.writeTools();
        for (Node node : Node.all(dir, SETTINGS)) {
            files.writeNode(node);
            Files.createFile(node.dir().resolve("nvme/ssd0"));
        }
    }

    private int mesh(String... words) {
        List<String> line = new ArrayList<>(List.of("--dir", dir.toString(), "--assembly", "nowhere"));
        line.addAll(List.of(words));
        return Mesh.run(line.toArray(String[]::new));
    }

    @Test
    void shouldRememberWhatAMeshWasMadeWith() throws Exception {
        assertEquals(SETTINGS, MeshSettings.read(dir));

        APART.write(dir);

        assertEquals(APART, MeshSettings.read(dir));
    }

    @Test
    void shouldGiveEachNodeOfANetworkItsAddress() throws Exception {
        Path apart = Files.createDirectory(folder.resolve("apart"));
        ConfigFiles files = new ConfigFiles(apart, APART);
        Node last = Node.all(apart, APART).get(2);

        files.writeNode(last);

        String text = Files.readString(apart.resolve("node3/etc/daos_server.yml"));
        assertTrue(text.contains("[\"198.18.8.1:10008\", \"198.18.8.2:10009\", \"198.18.8.3:10010\"]"), text);
        assertTrue(text.contains("bind_address: 198.18.8.3\n"), text);
    }

    @Test
    void shouldWriteWhatTheToolsRead() {
        DmgConfig dmg = DmgConfig.read(dir.resolve("daos_control.yml"));
        DaosConfig daos = DaosConfig.read(dir.resolve("daos_agent.yml"));

        assertEquals(List.of("127.0.0.1:10008", "127.0.0.1:10009", "127.0.0.1:10010"), dmg.hosts());
        assertEquals(List.of("127.0.0.1:10008"), daos.addresses());
        assertEquals(dir.resolve("certs/admin.key"), dmg.tls().key().orElseThrow());
        assertTrue(daos.tls().clearData());
    }

    @Test
    void shouldGiveEachEngineItsOwnDevices() throws Exception {
        String text = Files.readString(dir.resolve("node2/etc/daos_server.yml"));

        assertTrue(text.contains("port: 10009\n"), text);
        assertTrue(text.contains("[\"" + dir + "/node2/nvme/ssd2\", \"" + dir + "/node2/nvme/ssd3\"]"), text);
        assertTrue(text.contains("scm_mount: \"" + dir + "/node2/scm/engine1\""), text);
    }

    @Test
    void shouldRecordRanksByAddressAndKeepThem() throws Exception {
        List<Node> nodes = Node.all(dir, SETTINGS);
        MemberMessage member = MemberMessage.newBuilder()
                .setRank(5)
                .setAddress("127.0.0.1:10009")
                .build();

        MeshRecord.write(dir, nodes, List.of(member));
        MeshRecord.refreshPids(dir, nodes);

        MeshRecord.Entry second = MeshRecord.read(dir).nodes().get(1);
        assertEquals(List.of(5), second.ranks());
        assertEquals(0, second.pid());
        assertEquals(dir.resolve("node2"), second.dir());
    }

    @Test
    void shouldNotTakeAnotherProgramForANode() throws Exception {
        Node node = Node.all(dir, SETTINGS).get(0);

        node.started(ProcessHandle.current().pid());

        assertFalse(node.runs());
        assertEquals(Node.State.STOPPED, node.state());
    }

    /** Any letters that the folder's name may have: its node is the process whose command line names it. */
    @Test
    void shouldKnowTheProcessOfAnOddlyNamedFolder() throws Exception {
        Path odd = Files.createDirectories(dir.resolve("-a b G\u00f6\u00dfe%20@#,(x)*~\u4e2d"));
        Node node = Node.all(odd, SETTINGS).get(0);
        Files.createDirectories(node.dir());
        Process running = new ProcessBuilder("sh", "-c", "read line", "sh", node.mark()).start();
        try {
            node.started(running.pid());

            assertTrue(node.runs());
        } finally {
            running.destroy();
        }
    }

    @Test
    void shouldSeeWhoListens() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
            assertTrue(Ports.isListening(Ports.sockets(), port));
        }
        assertFalse(Ports.isListening(Ports.sockets(), port));
    }

    @Test
    void shouldTellADeviceOfARunningNodeWhatToDoWrong() throws Exception {
        Node node = Node.all(dir, SETTINGS).get(0);
        Process running = new ProcessBuilder("sh", "-c", "read line", "sh", node.mark()).start();
        try {
            node.started(running.pid());
            Device device = Device.of(node, dir + "/node1/nvme/ssd0");

            for (String words : List.of("hang", "slow 20", "fail", "tear", "flip", "flip writes", "fill")) {
                device.tell(List.of(words.split(" ")));
                assertEquals(words + "\n", Files.readString(dir.resolve("node1/nvme/ssd0.trouble")));
                assertEquals(words, device.told());
            }

            assertEquals(0, mesh("device", "1", "ssd0", "clear"));
            assertEquals("", device.told());
            assertEquals(0, mesh("device", "1", "ssd0", "pull"));
            assertEquals("pull", Device.of(node, "ssd0").told());
            assertEquals(1, mesh("device", "1", "ssd0", "pull"));
            assertEquals(0, mesh("device", "1", "ssd0", "plug"));
            assertEquals("", device.told());
            assertEquals(1, mesh("device", "1", "ssd0", "plug"));
            assertEquals(0, mesh("device", "1", "ssd0", "wear", "95"));
            assertEquals(0, mesh("device", "1", "ssd0", "heat", "350"));
            assertEquals(0, mesh("device", "1", "ssd0", "wear", "99"));
            assertEquals("heat 350, wear 99", device.told());
            assertEquals("heat 350\nwear 99\n", Files.readString(dir.resolve("node1/nvme/ssd0.smart")));
            assertEquals(0, mesh("device", "1", "ssd0", "clear"));
            assertEquals("", device.told());
            assertEquals(0, mesh("device", "1", "ssd7", "plug"));
            assertEquals(Files.size(device.file()), Files.size(dir.resolve("node1/nvme/ssd7")));
            assertEquals(1, mesh("device", "1", "ssd7", "plug"));
            Files.writeString(device.file(), "old");
            Files.writeString(dir.resolve("node1/nvme/ssd0.health"), "of the old one");
            assertEquals(1, mesh("device", "1", "ssd0", "plug", "new"), "it is plugged");
            assertEquals(0, mesh("device", "1", "ssd0", "pull"));
            assertEquals(0, mesh("device", "1", "ssd0", "plug", "new"));
            assertEquals("\0\0\0", Files.readString(device.file()));
            assertFalse(Files.exists(dir.resolve("node1/nvme/ssd0.health")));
            assertEquals("old", Files.readString(dir.resolve("node1/nvme/ssd0.replaced")));
            assertEquals(2, mesh("device", "1", "ssd0", "plug", "old"));
            assertEquals(1, mesh("device", "1", "../ssd8", "plug"));
        } finally {
            running.destroy();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, up --what",
        "2, up --nodes",
        "2, up --nodes x",
        "2, up --replicas 2",
        "1, up --nodes 4",
        "2, kill",
        "2, kill x",
        "1, kill 4",
        "1, kill 1",
        "2, kill 1 2",
        "2, console",
        "2, console 1 --as boss",
        "1, console 1 bundle:list -s",
        "2, device",
        "2, device 1",
        "1, device 4 ssd0",
        "2, cut",
        "1, cut 4",
        "1, cut 1 4",
        "1, cut 1 2",
        "1, cut 1 2 4",
        "2, cut 1 --both",
        "1, heal",
        "1, up --namespaces",
        "1, device 1 ssd9",
        "1, device 1 ../../node2/nvme/ssd0",
        "1, device 1 .",
        "2, device 1 ssd0 hung",
        "2, device 1 ssd0 slow",
        "2, device 1 ssd0 slow 600001",
        "2, device 1 ssd0 wear 256",
        "2, device 1 ssd0 heat 501",
        "2, device 1 ssd0 heat",
        "2, device 1 ssd0 flip it",
        "2, device 1 ssd0 clear all",
        "1, device 1 ssd0 hang",
        "0, device 1 ssd0 clear",
        "0, device 1 ssd0",
        "2, logs 1 -x",
        "1, logs 1",
        "0, status"
    })
    void shouldTellMistakesByTheStatus(int status, String words) {
        assertEquals(status, mesh(words.split(" ")), words);
    }
}

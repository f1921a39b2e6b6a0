package io.daosmesh.cli.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.machine.PciBinding;
import io.daosmesh.model.machine.Sysfs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** daos_server on a machine that is a folder, with a kernel that binds as Linux does. */
class DaosServerTest {
    @TempDir
    Path folder;

    private Path sys;
    private String mounts = "";
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /** Binds what is written to drivers_probe to the driver of its override, else to nvme. */
    private final PciBinding.Kernel kernel = new PciBinding.Kernel() {
        @Override
        public void write(Path file, String text) throws IOException {
            if (!Files.exists(file)) throw new NoSuchFileException(file.toString());
            Path device = sys.resolve("bus/pci/devices").resolve(text.strip());
            if (file.endsWith("unbind")) {
                Files.delete(device.resolve("driver"));
            } else if (file.endsWith("drivers_probe")) {
                String wanted =
                        Files.readString(device.resolve("driver_override")).strip();
                Path driver = sys.resolve("bus/pci/drivers").resolve(wanted.isEmpty() ? "nvme" : wanted);
                if (Files.exists(driver)) Files.createSymbolicLink(device.resolve("driver"), driver);
            } else {
                Files.writeString(file, text);
            }
        }

        @Override
        public String mounts() {
            return mounts;
        }
    };

    @BeforeEach
    void layOut() throws IOException {
        sys = Files.createDirectories(folder.resolve("sys"));
        file("bus/pci/drivers_probe", "");
        for (String driver : new String[] {"nvme", "vfio-pci", "uio_pci_generic"}) {
            file("bus/pci/drivers/" + driver + "/unbind", "");
        }
        file("class/net/lo/type", "772");
        file("class/net/eth0/type", "1");
        file("class/net/eth0/operstate", "up");
        file("devices/system/node/node0/cpulist", "0-3");
        file("devices/system/node/node0/meminfo", "Node 0 MemTotal: 67108864 kB");
        file("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
    }

    private void file(String path, String text) throws IOException {
        Files.createDirectories(sys.resolve(path).getParent());
        Files.writeString(sys.resolve(path), text + "\n");
    }

    private void ssd(int number) throws IOException {
        String at = "bus/pci/devices/0000:6" + number + ":00.0";
        file(at + "/class", "0x010802");
        file(at + "/driver_override", "");
        String disk = "nvme" + number + "n1";
        file(at + "/nvme/nvme" + number + "/model", "ACME-9000");
        file(at + "/nvme/nvme" + number + "/" + disk + "/size", "8388608");
        Files.createDirectories(sys.resolve(at + "/nvme/nvme" + number + "/" + disk + "/holders"));
        Files.createSymbolicLink(sys.resolve(at + "/driver"), sys.resolve("bus/pci/drivers/nvme"));
    }

    private int run(String... words) {
        ServerRoot root = new ServerRoot(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        root.use(new Sysfs(sys), kernel);
        out.reset();
        err.reset();
        return DaosServer.run(root, words);
    }

    private String driver(int number) throws IOException {
        return Files.readSymbolicLink(sys.resolve("bus/pci/devices/0000:6" + number + ":00.0/driver"))
                .getFileName()
                .toString();
    }

    @Test
    void shouldGiveControllersToUserSpaceAndBack() throws IOException {
        ssd(1);
        ssd(2);

        assertEquals(0, run("nvme", "scan"), () -> err.toString());
        assertTrue(
                out.toString().contains("0000:61:00.0 ACME-9000 None        0         4.3 GB   nvme"), out.toString());
        assertEquals(
                0,
                run("nvme", "prepare", "--hugepages", "16", "--pci-block-list", "0000:62:00.0"),
                () -> err.toString());
        assertEquals("uio_pci_generic", driver(1));
        assertEquals("nvme", driver(2));
        assertTrue(Files.readString(sys.resolve("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"))
                .startsWith("16"));

        file("class/iommu/dmar0/x", "");
        assertEquals(0, run("nvme", "prepare", "-j", "0000:62:00.0"), () -> err.toString());
        assertEquals("vfio-pci", driver(2));
        assertTrue(out.toString().contains("\"driver\": \"vfio-pci\""), out.toString());

        assertEquals(0, run("storage", "prepare", "--reset"), () -> err.toString());
        assertTrue(err.toString().contains("NOTICE: storage prepare is deprecated"), err.toString());
        assertEquals("nvme", driver(1));
        assertEquals("nvme", driver(2));
    }

    @Test
    void shouldLeaveDisksInUseAlone() throws IOException {
        ssd(1);
        ssd(2);
        mounts = "/dev/nvme1n1 /data ext4 rw 0 0\n";

        assertEquals(1, run("nvme", "prepare"));

        assertEquals("nvme", driver(1));
        assertEquals("uio_pci_generic", driver(2));
        assertTrue(out.toString().contains("in use: /dev/nvme1n1 is mounted"), out.toString());
        assertTrue(err.toString().contains("DER_BUSY(-1012): 1 of 2 controllers"), err.toString());
        mounts = "";
        file("bus/pci/devices/0000:61:00.0/nvme/nvme1/nvme1n1/nvme1n1p1/size", "8");
        assertEquals(1, run("nvme", "prepare"));
        assertTrue(out.toString().contains("partition nvme1n1p1"), out.toString());
    }

    @Test
    void shouldNameWhatIsNotThere() throws IOException {
        Path config = Files.writeString(
                folder.resolve("daos_server.yml"),
                "engines:\n- {scm_class: file, scm_mount: /scm, bdev_class: file, bdev_list: [/ssd0], bdev_size: 8}\n");

        assertEquals(1, run("nvme", "prepare", "-o", config.toString()));
        assertTrue(err.toString().contains("are emulated (class file)"), err.toString());
        assertTrue(err.toString().contains("bdev: code = 304 resolution ="), err.toString());
        assertEquals(0, run("nvme", "scan", "-o", config.toString()));
        assertTrue(out.toString().contains("No NVMe devices found"), out.toString());
        assertTrue(out.toString().contains("/ssd0"), out.toString());
        assertEquals(1, run("scm", "prepare"));
        assertTrue(err.toString().contains("scm: code = 211"), err.toString());
        assertEquals(1, run("scm", "reset"));
        assertEquals(0, run("scm", "scan"));
        assertEquals(0, run("storage", "scan", "-j"));
        assertTrue(out.toString().startsWith("{"), out.toString());
        ssd(1);
        assertEquals(1, run("nvme", "prepare", "61:00"));
        assertTrue(err.toString().contains("code = 303"), err.toString());
        assertEquals(1, run("nvme", "prepare", "0000:99:00.0"));
        assertEquals(1, run("nvme", "scan", "-o", "/nowhere.yml"));
        assertTrue(err.toString().contains("code = 702"), err.toString());
    }

    @Test
    void shouldScanTheNetworkAndGenerate() throws IOException {
        assertEquals(0, run("network", "scan"));
        assertTrue(out.toString().contains("tcp      eth0"), out.toString());
        assertFalse(out.toString().contains("Errors"), out.toString());
        ssd(1);
        assertEquals(0, run("config", "generate", "-t"), () -> err.toString());
        assertTrue(out.toString().contains("- \"0000:61:00.0\""), out.toString());
        assertEquals(1, run("config", "generate", "-t", "-s", "2"));
        assertEquals(1, run("config", "generate"));
        assertTrue(err.toString().contains("--use-tmpfs-scm"), err.toString());
    }

    @Test
    void shouldAnswerForTheManagementService() throws IOException {
        Path config = Files.writeString(
                folder.resolve("daos_server.yml"), "port: 1\ntransport_config: {allow_insecure: true}\n");

        assertEquals(1, run("ms", "status", "-o", config.toString()));
        assertTrue(err.toString().contains("start the node of"), err.toString());
        assertEquals(1, run("ms", "recover"));
        assertTrue(err.toString().contains("DER_NOTSUPPORTED"), err.toString());
        assertEquals(0, run("version"));
        assertTrue(out.toString().startsWith("daos_server version "), out.toString());
        assertEquals(1, run("nonsense"));
        assertEquals(1, run("nvme", "scan", "--verbos", "-j"));
        assertTrue(out.toString().contains("unknown flag `verbos'"), out.toString());
    }

    @Test
    void shouldCollectLogsOfANodeThatDoesNotRun() throws IOException {
        Files.createDirectories(folder.resolve("data/log"));
        Files.writeString(folder.resolve("data/log/node.log"), "line");
        Files.writeString(folder.resolve("data/log/x.key"), "key");
        Path config = Files.writeString(folder.resolve("daos_server.yml"), "password: hunter2\n");
        Path target = folder.resolve("out");
        String data = folder.resolve("data").toString();

        assertEquals(
                0,
                run("support", "collect-log", "--data", data, "-o", config.toString(), "-t", target.toString()),
                () -> err.toString());

        try (var all = Files.walk(target)) {
            String names = all.map(f -> target.relativize(f).toString())
                    .sorted()
                    .toList()
                    .toString();
            assertTrue(names.contains("/log/node.log"), names);
            assertFalse(names.contains("x.key"), names);
            Path copy = target.resolve(names.replaceAll("(?s).*?([^/, ]+)/log/node.log.*", "$1"));
            assertEquals("password: (hidden)\n", Files.readString(copy.resolve("config/daos_server.yml")));
        }
        assertEquals(1, run("support", "collect-log", "--data", data, "-t", target.toString()));
        assertEquals(
                1,
                run(
                        "support",
                        "collect-log",
                        "-s",
                        "--data",
                        "/nowhere",
                        "-t",
                        folder.resolve("n").toString()));
        assertTrue(err.toString().contains("--data"), err.toString());
    }
}

package io.daosmesh.itests.karaf;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.RankIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.BundleWire;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** The wiring of a node, from inside: what is active and exported, and that no bundle notices when another is replaced. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class NodeIT {
    private static final long TEST_MAX_MS = 240_000;
    private static final Duration SETTLE_MAX = Duration.ofSeconds(60);
    private static final Duration UNPLUG_MAX = Duration.ofSeconds(30);
    private static final int UPDATES = 10;
    /** Each waits for a new leader of the management service. */
    private static final int SLOW_UPDATES = 3;

    private static final Set<String> PARTS = Set.of(
            "device-spi",
            "model",
            "transport",
            "storage",
            "swim",
            "management",
            "engine",
            "rebuild",
            "telemetry",
            "control",
            "admin",
            "cli",
            "console",
            "nvme-spdk",
            "pmem",
            "vmd-led");
    /** Contracts, the only bundles that export packages, each below its own root. */
    private static final Map<String, String> CONTRACTS = Map.of(
            "device-spi", "io.daosmesh.spi",
            "model", "io.daosmesh.model",
            "storage", "io.daosmesh.storage",
            "client", "io.daosmesh.client",
            "admin", "io.daosmesh.admin");

    @Configuration
    public Option[] configuration() {
        return NodeContainer.options();
    }

    @Before
    public void bringUp() {
        Node node = new Node();
        node.bringUp();
        node.needPool("tank");
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldHaveEveryBundleActive() {
        Node node = new Node();

        Set<String> installed = node.meshBundles().stream()
                .map(b -> b.getSymbolicName().substring(Node.PREFIX.length()))
                .collect(Collectors.toCollection(TreeSet::new));
        List<String> inactive = Arrays.stream(node.context().getBundles())
                .filter(b -> !isFragment(b) && b.getState() != Bundle.ACTIVE)
                .map(b -> b.getSymbolicName() + " is in state " + b.getState())
                .toList();

        Set<String> missing = new TreeSet<>(PARTS);
        missing.removeAll(installed);
        assertEquals("bundles that are not installed", Set.of(), missing);
        assertEquals("bundles that are not active", List.of(), inactive);
    }

    private static boolean isFragment(Bundle bundle) {
        return (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldExportOnlyContracts() {
        List<String> wrong = new ArrayList<>();

        for (Bundle bundle : new Node().meshBundles()) {
            String root = CONTRACTS.get(bundle.getSymbolicName().substring(Node.PREFIX.length()));
            for (var exported : bundle.adapt(BundleWiring.class).getCapabilities(PackageNamespace.PACKAGE_NAMESPACE)) {
                String name = (String) exported.getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE);
                boolean isContract = root != null && (name.equals(root) || name.startsWith(root + "."));
                if (!isContract) wrong.add(bundle.getSymbolicName() + " exports " + name);
            }
        }

        assertEquals(List.of(), wrong);
    }

    /** Two providers of a package are two classes of one name: a service of one is invisible to users of the other. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldTakeEachPackageFromOneBundle() {
        Map<String, Set<String>> providers = new TreeMap<>();

        for (Bundle bundle : new Node().meshBundles()) {
            for (BundleWire wire :
                    bundle.adapt(BundleWiring.class).getRequiredWires(PackageNamespace.PACKAGE_NAMESPACE)) {
                String name = (String) wire.getCapability().getAttributes().get(PackageNamespace.PACKAGE_NAMESPACE);
                providers
                        .computeIfAbsent(name, n -> new TreeSet<>())
                        .add(String.valueOf(wire.getProvider().getBundle()));
            }
        }

        assertFalse("no wires at all", providers.isEmpty());
        providers.values().removeIf(bundles -> bundles.size() == 1);
        assertEquals(Map.of(), providers);
    }

    /** Its file is empty in this node: Karaf's own default would then be every interface. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldOpenTheConsoleOnLoopbackOnly() throws Exception {
        int port = Integer.getInteger("org.apache.karaf.shell.sshPort");
        Path etc = Path.of(System.getProperty("karaf.etc"));

        awaitConsole(port);

        assertEquals(0, Files.size(etc.resolve("org.apache.karaf.shell.cfg")));
        Dictionary<String, Object> ssh = ssh(new Node());
        assertEquals("127.0.0.1", ssh.get("sshHost"));
        assertNull("the configuration comes from a file", ssh.get("felix.fileinstall.filename"));
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldKeepTheConsoleOnLoopbackWhenItsConfigurationIsEmptied() {
        Node node = new Node();
        int port = Integer.getInteger("org.apache.karaf.shell.sshPort");

        node.use(ConfigurationAdmin.class, admin -> {
            try {
                admin.getConfiguration("org.apache.karaf.shell", "?").update(new Hashtable<>());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return true;
        });

        Await.until(
                "the configuration is whole again",
                SETTLE_MAX,
                () -> "127.0.0.1".equals(ssh(node).get("sshHost")));
        awaitConsole(port);
    }

    private static void awaitConsole(int port) {
        Await.until("the console listens on loopback", SETTLE_MAX, () -> {
            Listeners listeners = new Listeners();
            assertFalse(listeners.toString(), listeners.isBeyondLoopback(port));
            return listeners.isOpen(port);
        });
    }

    private static Dictionary<String, Object> ssh(Node node) {
        return node.use(ConfigurationAdmin.class, admin -> {
            try {
                return admin.getConfiguration("org.apache.karaf.shell", "?").getProperties();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Karaf would write each of its files back in place when it has read it; cut short, that empties them. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldNeverWriteItsConfigurationFiles() throws Exception {
        Path etc = Path.of(System.getProperty("karaf.etc"));
        long startMs = ManagementFactory.getRuntimeMXBean().getStartTime();
        List<String> written = new ArrayList<>();

        try (Stream<Path> files = Files.list(etc)) {
            for (Path file : files.filter(f -> !f.getFileName().toString().startsWith("host.key"))
                    .toList()) {
                if (Files.getLastModifiedTime(file).toMillis() >= startMs)
                    written.add(file.getFileName().toString());
            }
        }

        assertEquals(List.of(), written);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldSatisfyEveryComponent() {
        Node node = new Node();

        boolean isAll = Await.isMet(SETTLE_MAX, () -> unsatisfied(node).isEmpty());

        assertTrue(String.join("\n", unsatisfied(node)), isAll);
        assertFalse("no component at all", components(node).isEmpty());
    }

    /** A component that is active only while others use its service stops when its users are replaced. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldKeepEveryComponentActiveWhoeverUsesIt() {
        List<String> onDemand = components(new Node()).stream()
                .filter(c -> !c.immediate && c.factory == null)
                .map(c -> c.bundle.symbolicName + ": " + c.name + " lacks immediate = true")
                .toList();

        assertEquals(List.of(), onDemand);
    }

    private static Collection<ComponentDescriptionDTO> components(Node node) {
        Bundle[] ours = node.meshBundles().toArray(new Bundle[0]);
        return node.use(ServiceComponentRuntime.class, scr -> scr.getComponentDescriptionDTOs(ours));
    }

    private static List<String> unsatisfied(Node node) {
        List<String> found = new ArrayList<>();
        for (ComponentDescriptionDTO component : components(node)) {
            Collection<ComponentConfigurationDTO> all =
                    node.use(ServiceComponentRuntime.class, scr -> scr.getComponentConfigurationDTOs(component));
            if (all.isEmpty()) found.add(component.name + " has no configuration");
            for (ComponentConfigurationDTO one : all) {
                if (one.state == ComponentConfigurationDTO.ACTIVE || one.state == ComponentConfigurationDTO.SATISFIED) {
                    continue;
                }
                String missing = Arrays.stream(one.unsatisfiedReferences)
                        .map(r -> r.name)
                        .collect(Collectors.joining(", "));
                found.add(
                        component.name + " is in state " + one.state + ", waits for [" + missing + "] " + one.failure);
            }
        }
        return found;
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceNvmeDriverTenTimes() throws Exception {
        Map<String, String> before = new Node().deviceStates();

        replace("nvme-spdk", UPDATES);

        assertEquals(2, before.size());
        Await.until(
                "states are again " + before,
                SETTLE_MAX,
                () -> new Node().deviceStates().equals(before));
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceOtherDrivers() throws Exception {
        replace("pmem", UPDATES);
        replace("vmd-led", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceConsole() throws Exception {
        replace("console", UPDATES);
    }

    /** The commands of dmg are the console's for as long as there are any. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceTheCommandsOfDmg() throws Exception {
        replace("cli", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceTelemetry() throws Exception {
        replace("telemetry", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceRebuild() throws Exception {
        replace("rebuild", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceSwim() throws Exception {
        replace("swim", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceControl() throws Exception {
        replace("control", UPDATES);
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceEngineWithoutLosingTheRank() throws Exception {
        Node node = new Node();
        RankIdentity before = node.use(RankIdentity.class, r -> r);

        replace("engine", UPDATES);

        Await.until(
                "the engine runs again",
                SETTLE_MAX,
                () -> node.context().getServiceReference(EngineMigration.class) != null);
        assertEquals(before, node.use(RankIdentity.class, r -> r));
    }

    /** Engine and rebuild stop and start with the maps; their bundles do not, and the rank stays the same. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceManagementWithoutRefreshingOthers() throws Exception {
        Node node = new Node();
        int rankBefore = node.use(RankIdentity.class, RankIdentity::rank);

        List<String> disturbed = replaceAndLookForLeftovers("management", SLOW_UPDATES);

        assertEquals(
                List.of(),
                disturbed.stream().filter(d -> !d.startsWith("service")).toList());
        node.bringUp();
        assertEquals(rankBefore, (int) node.use(RankIdentity.class, RankIdentity::rank));
    }

    /** Everyone speaks over it: services come and go, bundles stay, and the rank comes back as the same. */
    @Test(timeout = TEST_MAX_MS)
    public void shouldReplaceTransportWithoutRefreshingOthers() throws Exception {
        Node node = new Node();
        int rankBefore = node.use(RankIdentity.class, RankIdentity::rank);

        List<String> disturbed = replaceAndLookForLeftovers("transport", SLOW_UPDATES);

        assertEquals(
                List.of(),
                disturbed.stream().filter(d -> !d.startsWith("service")).toList());
        node.bringUp();
        assertEquals(rankBefore, (int) node.use(RankIdentity.class, RankIdentity::rank));
    }

    /** Replaces a bundle by itself; nobody else may notice and nothing of the old ones may stay. */
    private static void replace(String part, int times) throws Exception {
        List<String> disturbed = replaceAndLookForLeftovers(part, times);

        assertEquals("what others did while " + part + " was replaced", List.of(), disturbed);
    }

    private static List<String> replaceAndLookForLeftovers(String part, int times) throws Exception {
        Node node = new Node();
        Bundle bundle = node.bundle(part);
        Leftovers leftovers = new Leftovers();

        List<String> disturbed;
        try (Disturbances disturbances = new Disturbances(node.context(), bundle)) {
            for (int i = 0; i < times; i++) {
                leftovers.remember(bundle);
                node.update(part);
                assertEquals("state after update " + (i + 1), Bundle.ACTIVE, bundle.getState());
                Await.until(
                        "components after an update of " + part,
                        SETTLE_MAX,
                        () -> unsatisfied(node).isEmpty());
                node.bringUp();
            }
            disturbed = disturbances.seen();
        }

        assertEquals(
                "what " + times + " replaced " + part + " left behind",
                List.of(),
                leftovers.find(node.context().getBundles()));
        return disturbed;
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldPlugDevicesAgainWhenTheDriverComesBack() throws Exception {
        Node node = new Node();
        Map<String, String> before = node.deviceStates();
        Bundle driver = node.bundle("nvme-spdk");
        String location = driver.getLocation();

        driver.uninstall();
        boolean isUnplugged = Await.isMet(
                UNPLUG_MAX, () -> node.deviceStates().values().stream().allMatch("UNPLUGGED"::equals));
        Map<String, String> without = node.deviceStates();
        try (var jar = Files.newInputStream(Node.jar("nvme-spdk"))) {
            node.context().installBundle(location, jar).start();
        }

        assertTrue("states without a driver: " + without, isUnplugged);
        Await.until(
                "states are again " + before,
                SETTLE_MAX,
                () -> node.deviceStates().equals(before));
    }

    @Test(timeout = TEST_MAX_MS)
    public void shouldAnswerInTheConsole() {
        Console console = new Console(new Node());

        assertEquals(List.of(), console.missing("system-query", "pool-list", "pool-query", "devices", "drivers"));
        console.expect("daos:system-query", "Joined");
        console.expect("daos:pool-list", "tank");
        console.expect("daos:pool-query tank", "Pool health info");
        console.expect("daos:devices", "NORMAL");
        console.expect("daos:drivers", "nvme-spdk");
        console.expect("daos:pool-query", "Missing required parameter: 'POOL'");
        console.expect("daos:pool-query nosuch", "pool 'nosuch' does not exist");
        console.expect("daos:system-query --nosuch", "unknown flag `nosuch'");
    }
}

package io.daosmesh.itests.karaf;

import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;

/** The node around the running test, seen from inside its container. */
final class Node {
    static final String PREFIX = "io.daosmesh.";
    private static final Duration START_MAX = Duration.ofSeconds(90);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    private final BundleContext context = FrameworkUtil.getBundle(Node.class)
            .getBundleContext()
            .getBundle(Constants.SYSTEM_BUNDLE_ID)
            .getBundleContext();

    BundleContext context() {
        return context;
    }

    /** Formats the storage if need be and waits until the rank has joined. */
    void bringUp() {
        Await.until(
                "the storage settles",
                START_MAX,
                () -> use(StorageAdmin.class, StorageAdmin::state) != StorageAdmin.State.STARTING);
        Await.until("the storage is formatted", START_MAX, this::isFormatted);
        Await.until("the rank joins", START_MAX, () -> context.getServiceReference(RankIdentity.class) != null);
        Await.until("the engine runs", START_MAX, () -> context.getServiceReference(EngineMigration.class) != null);
    }

    /** Formats; not yet when the driver of a device has not been found so soon after the start. */
    private boolean isFormatted() {
        if (use(StorageAdmin.class, StorageAdmin::state) != StorageAdmin.State.AWAIT_FORMAT) return true;
        String system = use(NodeConfig.class, NodeConfig::system);
        List<FormatResultMessage> results =
                use(StorageAdmin.class, storage -> storage.format(system, false).block(ANSWER_MAX));
        return results.stream().allMatch(FormatResultMessage::getOk);
    }

    /** One pool, so that what is replaced has something open; made with the administrator's own tool. */
    void needPool(String name) {
        if (!use(StorageAdmin.class, StorageAdmin::pools).isEmpty()) return;
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("test.tools.jar"),
                "io.daosmesh.cli.dmg.Dmg",
                "-o",
                System.getProperty("test.control.config"),
                "pool",
                "create",
                name,
                "--size",
                "300MB");
        try {
            Path output = Files.createTempFile("dmg", ".out");
            Process dmg = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean isDone = dmg.waitFor(START_MAX.toSeconds(), TimeUnit.SECONDS);
            if (!isDone) dmg.destroyForcibly();
            if (!isDone || dmg.exitValue() != 0) throw new AssertionError("dmg: " + Files.readString(output));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** State of each device by its address. */
    Map<String, String> deviceStates() {
        List<DeviceInfoMessage> devices =
                use(StorageAdmin.class, storage -> storage.devices(false).block(ANSWER_MAX));
        Map<String, String> states = new TreeMap<>();
        for (DeviceInfoMessage device : devices) states.put(device.getAddress(), device.getState());
        return states;
    }

    /** Applies the function to a service that must be there soon; the service is given back at once. */
    <S, R> R use(Class<S> type, Function<S, R> function) {
        Await.until("service " + type.getName(), START_MAX, () -> context.getServiceReference(type) != null);
        ServiceReference<S> reference = context.getServiceReference(type);
        S service = context.getService(reference);
        try {
            return function.apply(service);
        } finally {
            context.ungetService(reference);
        }
    }

    List<Bundle> meshBundles() {
        return Arrays.stream(context.getBundles()).filter(Node::isOurs).toList();
    }

    static boolean isOurs(Bundle bundle) {
        String name = bundle.getSymbolicName();
        return name != null && name.startsWith(PREFIX);
    }

    Bundle bundle(String folder) {
        return meshBundles().stream()
                .filter(b -> b.getSymbolicName().equals(PREFIX + folder))
                .findFirst()
                .orElseThrow(() -> new AssertionError("bundle " + PREFIX + folder + " is not installed"));
    }

    /** The jar of a bundle, as it lies in the assembly. */
    static Path jar(String folder) {
        String version = System.getProperty("test.node.version");
        return Path.of(System.getProperty("karaf.home"), "system/io/daosmesh", folder, version)
                .resolve(folder + "-" + version + ".jar");
    }

    void update(String folder) throws BundleException, IOException {
        try (var jar = Files.newInputStream(jar(folder))) {
            bundle(folder).update(jar);
        }
    }
}

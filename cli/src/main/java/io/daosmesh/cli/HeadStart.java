package io.daosmesh.cli;

import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.Role;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;

/**
 * What nearly every call of dmg needs, begun while its command line is still being parsed: logging, configuration,
 * certificates, a connection to the first host. It tells nobody of a failure: the call then does the same and tells.
 * Owner: the main thread; the work is done on a thread of its own.
 */
final class HeadStart implements AutoCloseable {
    /** Calls that connect nowhere, and such whose connection or log is to be another one. */
    private static final Set<String> WITHOUT = Set.of(
            "version",
            "--version",
            "-V",
            "-h",
            "--help",
            "help",
            "-l",
            "--host-list",
            "-i",
            "--insecure",
            "-d",
            "--debug",
            "--log-file",
            "-J",
            "--json-logging");

    private static final Set<String> CONFIG = Set.of("-o", "--config-path");
    private static final Duration CALL_MAX = Duration.ofSeconds(2);

    private record Begun(Optional<Path> path, DmgConfig config, ClientTransport transport) {}

    private final CompletableFuture<Optional<Begun>> begun = new CompletableFuture<>();
    private final AtomicBoolean isTaken = new AtomicBoolean();

    private HeadStart() {}

    /** Of a call that begins nothing early. */
    static HeadStart none() {
        HeadStart none = new HeadStart();
        none.begun.complete(Optional.empty());
        return none;
    }

    static HeadStart of(String... args) {
        List<String> words = List.of(args);
        if (words.isEmpty() || isWithout(words)) return none();
        HeadStart start = new HeadStart();
        new Begin("head-start-tls", List.of(), start).start();
        new Begin("head-start", words, start).start();
        return start;
    }

    /** Plain code up to here: the first lambda costs milliseconds, and both threads wait for it. */
    private static final class Begin extends Thread {
        private final List<String> words;
        private final HeadStart start;

        /** @param words none to warm up */
        Begin(String name, List<String> words, HeadStart start) {
            super(name);
            this.words = words;
            this.start = start;
            setDaemon(true);
        }

        @Override
        public void run() {
            if (words.isEmpty()) ClientTransport.warmUpTls();
            else start.run(words);
        }
    }

    /**
     * Gives way on a machine of one or two processors: reading the command line beside the head start would delay the
     * connection, and later fills the time in which the handshake waits.
     */
    void giveWay() {
        if (Runtime.getRuntime().availableProcessors() <= 2) begun.join();
    }

    private static boolean isWithout(List<String> words) {
        for (String word : words) {
            boolean isCluster = word.length() > 2 && word.startsWith("-") && !word.startsWith("--"); // as -jd, -oFILE
            int end = word.indexOf('=');
            if (isCluster || WITHOUT.contains(end < 0 ? word : word.substring(0, end))) return true;
        }
        return false;
    }

    private void run(List<String> words) {
        try {
            // here and not on two threads at once: logging would tell on the terminal that both were early
            LoggerFactory.getILoggerFactory();
            Optional<Path> path = path(words);
            DmgConfig config = DmgConfig.find(path);
            // what does not need TLS, while that is being loaded
            ClientTransport.warmUpChannels();
            ClientTransport transport = ClientTransport.openUnchecked(settings(config));
            begun.complete(Optional.of(new Begun(path, config, transport)));
            connect(transport, config.hosts().get(0));
        } catch (RuntimeException e) {
            return; // the call meets the same and tells
        } finally {
            // whatever went wrong, an error of the JVM too: the call must not wait for it
            begun.complete(Optional.empty());
        }
    }

    private static Optional<Path> path(List<String> words) {
        for (int i = 0; i + 1 < words.size(); i++) {
            if (CONFIG.contains(words.get(i))) return Optional.of(Path.of(words.get(i + 1)));
            if (words.get(i).startsWith("--config-path="))
                return Optional.of(Path.of(words.get(i).substring("--config-path=".length())));
        }
        return Optional.empty();
    }

    static ClientSettings settings(DmgConfig config) {
        return new ClientSettings(Role.ADMIN, config.system(), config.tls());
    }

    /** The cheapest request there is: the real one then finds an open connection. */
    private static void connect(ClientTransport transport, String host) {
        transport
                .rpc()
                .call(
                        Endpoint.node(host),
                        RpcMethod.LEADER_QUERY,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        CALL_MAX,
                        reply -> true)
                .subscribe(ok -> {}, e -> {});
    }

    /** What the file says, if it has been read. */
    Optional<DmgConfig> config(Optional<Path> path) {
        return begun.join().filter(b -> b.path.equals(path)).map(Begun::config);
    }

    /** The transport made from this very configuration, if there is one; it is the caller's now. Waits until logging is there. */
    Optional<ClientTransport> take(DmgConfig wanted) {
        return begun.join()
                .filter(b -> b.config == wanted && isTaken.compareAndSet(false, true))
                .map(Begun::transport);
    }

    /** Ends what nobody has taken: a JVM waits for an event loop that polls. */
    @Override
    public void close() {
        begun.join().filter(b -> isTaken.compareAndSet(false, true)).ifPresent(b -> b.transport.close());
    }
}

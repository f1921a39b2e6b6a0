package io.daosmesh.telemetry.web;

import com.sun.net.httpserver.Authenticator;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.telemetry.http.Security;
import io.daosmesh.telemetry.http.TlsTerms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may read the metrics and how, by a web configuration file that is read again when it, a certificate or the key has
 * changed. A change that is wrong is named in the log and not taken over. Any thread.
 */
public final class WebAccess implements Security {
    private static final Logger log = LoggerFactory.getLogger(WebAccess.class);
    /** A stranger who connects all the time does not keep the disk busy. */
    private static final long LOOK_EVERY_NS = TimeUnit.SECONDS.toNanos(1);

    private static final WebConfig FREE = new WebConfig(Optional.empty(), Map.of(), Map.of(), List.of());

    private final Optional<Path> file;
    private final BasicUsers users = new BasicUsers(() -> current().users());
    private final ReentrantLock lock = new ReentrantLock();
    private volatile WebConfig config;
    private volatile long lookedNs = System.nanoTime();
    private List<String> stamps; // guarded by lock

    /** Without a file: plain HTTP, everybody may read. INVAL, NO_CERT or BAD_CERT for a file that is wrong. */
    public WebAccess(Optional<Path> file) {
        this.file = file;
        config = file.map(WebConfig::read).orElse(FREE);
        stamps = stamps(config.files());
    }

    @Override
    public Optional<TlsTerms> tls() {
        return current().tls();
    }

    @Override
    public Map<String, String> headers() {
        return current().headers();
    }

    public Authenticator authenticator() {
        return users;
    }

    /** True when passwords travel in clear. */
    public boolean isClearWithUsers() {
        return config.tls().isEmpty() && !config.users().isEmpty();
    }

    private WebConfig current() {
        if (file.isPresent() && System.nanoTime() - lookedNs >= LOOK_EVERY_NS && lock.tryLock()) {
            try {
                lookedNs = System.nanoTime();
                look(file.get());
            } finally {
                lock.unlock();
            }
        }
        return config;
    }

    private void look(Path given) {
        List<String> now = stamps(config.files());
        if (now.equals(stamps)) return;
        stamps = now;
        try {
            config = WebConfig.read(given);
            stamps = stamps(config.files());
            log.info("{} has changed and is taken over", given);
        } catch (FaultException e) {
            log.warn(
                    "{} stays as it was: {}; {}",
                    given,
                    e.fault().message(),
                    e.fault().remedy());
        }
    }

    private static List<String> stamps(List<Path> files) {
        List<String> stamps = new ArrayList<>();
        for (Path file : files) {
            try {
                stamps.add(Files.getLastModifiedTime(file) + " " + Files.size(file) + " "
                        + Files.getAttribute(file, "unix:ctime"));
            } catch (IOException e) {
                stamps.add("absent");
            }
        }
        return stamps;
    }
}

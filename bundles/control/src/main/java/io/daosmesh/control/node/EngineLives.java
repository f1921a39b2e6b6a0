package io.daosmesh.control.node;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes on disk which engine serves as which rank in this process, for as long as it does. A note of another process is of an engine
 * that was ended without being stopped: killed, crashed, or its machine lost power. It is told when the engine serves again, so
 * that the leader knows the newer life already. Any thread; blocks for a small file.
 */
final class EngineLives {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLives.class);
    /** As much as a note can have. */
    private static final int WORDS = 4;

    private final Path dir;
    private final Ras ras;
    private final String process;

    EngineLives(NodeConfig config, Ras ras, String process) {
        this.dir = config.metadataDir();
        this.ras = ras;
        this.process = process;
    }

    /** A number comes back, the time of the start does not. */
    static String thisProcess() {
        ProcessHandle me = ProcessHandle.current();
        return me.pid() + "/"
                + me.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    synchronized void begin(RankIdentity rank) {
        Path note = note(rank);
        try {
            if (Files.exists(note)) {
                String[] words = Files.readString(note).trim().split(" ");
                if (words.length == WORDS && !words[0].equals(process)) died(rank.engineIndex(), words);
            }
            Files.createDirectories(dir);
            Path next = note.resolveSibling(note.getFileName() + ".tmp");
            String text = process + " " + rank.rank() + " " + Long.toHexString(rank.incarnation()) + " " + Instant.now()
                    + "\n";
            Files.write(next, text.getBytes(StandardCharsets.UTF_8));
            Files.move(next, note, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("{}: {}", note, e.toString());
        }
    }

    synchronized void end(RankIdentity rank) {
        try {
            Files.deleteIfExists(note(rank));
        } catch (IOException e) {
            LOG.warn("{}: {}", note(rank), e.toString());
        }
    }

    private Path note(RankIdentity rank) {
        return dir.resolve("engine" + rank.engineIndex() + ".running");
    }

    private void died(int index, String[] words) {
        String pid = words[0].substring(0, Math.max(0, words[0].indexOf('/')));
        String why = "process " + pid + " ended without being stopped; it served since " + words[3];
        ras.raise(
                RasId.ENGINE_DIED,
                Severity.ERROR,
                "DAOS engine " + index + " exited unexpectedly: " + why,
                Map.of("rank", words[1], "inc", words[2], "pid", pid, "data", why));
    }
}

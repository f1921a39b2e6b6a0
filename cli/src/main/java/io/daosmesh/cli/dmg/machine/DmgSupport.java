package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.cli.support.SupportFlags;
import io.daosmesh.cli.support.SupportStore;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.SupportPart;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;
import reactor.core.Exceptions;

/** {@code dmg support}. Owner: the main thread. */
@Command(name = "support", aliases = "supp", description = "Help with problems")
public final class DmgSupport {
    /** Of 256 KiB: so few are under way. */
    private static final int DEMAND = 4;

    private static final Duration PART_MAX = Duration.ofSeconds(30);

    @ParentCommand
    @Nullable
    Screen parent;

    private Screen root() {
        return Objects.requireNonNull(parent);
    }

    @Command(
            name = "collect-log",
            description = "Fetch logs, configuration and states of the hosts; no keys and no passwords")
    int collect(@Mixin SupportFlags flags) {
        List<String> hosts = root().hosts();
        Map<String, String> replies = new LinkedHashMap<>();
        Map<String, Fault> errors = new LinkedHashMap<>();
        SupportStore store = flags.open();
        try (store) {
            // one after the other: an archive has one end
            for (String host : hosts) {
                try {
                    collect(host, flags, store);
                    replies.put(host, host);
                } catch (FaultException e) {
                    errors.put(host, e.fault());
                    // a disk that is full here is full for the next one, too
                    if (flags.stopOnError || store.isBroken()) break;
                }
            }
        }
        HostReplies<String> all = new HostReplies<>(replies, errors, hosts);
        return root().show(all, store::text, () -> store.json(HostBlocks.errorsJson(all)));
    }

    private void collect(String host, SupportFlags flags, SupportStore store) {
        try (Stream<SupportPart> parts = root().calls()
                .support(host, flags.extraFolder())
                .timeout(PART_MAX)
                .toStream(DEMAND)) {
            store.write(host, parts.iterator());
        } catch (FaultException e) {
            throw e;
        } catch (RuntimeException e) {
            Throwable cause = Exceptions.unwrap(e);
            if (cause instanceof TimeoutException) {
                throw Fault.of(FaultCode.TIMEDOUT, "%s sent nothing for %d s", host, PART_MAX.toSeconds())
                        .asException();
            }
            throw FaultException.faultOf(cause).asException();
        }
    }
}

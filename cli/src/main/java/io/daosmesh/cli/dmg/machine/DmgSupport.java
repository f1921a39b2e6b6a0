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
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** {@code dmg support}. Owner: the main thread. */
@Command(name = "support", aliases = "supp", description = "Help with problems")
public final class DmgSupport {
    /** Of 256 KiB: so few are under way. */
    private static final int DEMAND = 4;

    /** Together they fill the network of one machine; each has a thread. */
    private static final int HOSTS_AT_ONCE_MAX = 8;

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
        Map<String, Optional<Fault>> outcomes = new ConcurrentHashMap<>();
        SupportStore store = flags.open();
        try (store) {
            // to stop at the first error there has to be a first one
            Flux.fromIterable(hosts)
                    .flatMap(
                            host -> Mono.fromRunnable(() -> collect(host, flags, store, outcomes))
                                    .subscribeOn(Schedulers.boundedElastic()),
                            flags.stopOnError ? 1 : HOSTS_AT_ONCE_MAX)
                    .blockLast();
        }
        Map<String, String> replies = new LinkedHashMap<>();
        Map<String, Fault> errors = new LinkedHashMap<>();
        for (String host : hosts) {
            Optional<Fault> outcome = outcomes.get(host);
            if (outcome == null) continue;
            outcome.ifPresentOrElse(fault -> errors.put(host, fault), () -> replies.put(host, host));
        }
        HostReplies<String> all = new HostReplies<>(replies, errors, hosts);
        return root().show(all, store::text, () -> store.json(HostBlocks.errorsJson(all)));
    }

    private void collect(String host, SupportFlags flags, SupportStore store, Map<String, Optional<Fault>> outcomes) {
        boolean hasFailed = outcomes.values().stream().anyMatch(Optional::isPresent);
        // a disk that is full here is full for the next one, too
        if (store.isBroken() || (flags.stopOnError && hasFailed)) return;
        try {
            collect(host, flags, store);
            outcomes.put(host, Optional.empty());
        } catch (FaultException e) {
            outcomes.put(host, Optional.of(e.fault()));
        }
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

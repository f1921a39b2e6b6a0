package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command about something that exactly one host has. Owner: the main thread. */
abstract class OnOneHost implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    /** @param what the one host has */
    final <T> int run(
            String what, Function<List<String>, HostReplies<T>> call, Function<HostReplies<T>, Map<String, ?>> json) {
        Screen screen = screen();
        List<String> hosts = screen.hosts();
        if (hosts.size() != 1) {
            throw Fault.of(FaultCode.INVAL, "%d hosts are named: exactly one has the %s", hosts.size(), what)
                    .remedy("name it with -l")
                    .asException();
        }
        HostReplies<T> replies = call.apply(hosts);
        return screen.show(
                replies,
                () -> replies.replies().isEmpty() ? "" : "Command completed successfully\n",
                () -> json.apply(replies));
    }

    final Screen screen() {
        return Screen.of(Objects.requireNonNull(spec));
    }
}

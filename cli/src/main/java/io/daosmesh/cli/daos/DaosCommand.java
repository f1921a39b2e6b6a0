package io.daosmesh.cli.daos;

import io.daosmesh.admin.view.Json;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParentCommand;

/** A command that answers once: does its work, then prints text or JSON. Owner: main thread. */
abstract class DaosCommand implements Callable<Integer> {
    /** Where the options of all commands are: the program, or the group below it. */
    interface Group {
        Daos daos();
    }

    /**
     * @param text for people, with its last newline
     * @param json for programs
     * @param fault what has not been done, if it was not all; null = all done
     */
    record Answer(
            String text, @Nullable Object json, @Nullable Fault fault) {
        Answer(String text, @Nullable Object json) {
            this(text, json, null);
        }
    }

    @ParentCommand
    private @Nullable Group parent;

    final Daos daos() {
        return java.util.Objects.requireNonNull(parent).daos();
    }

    final DaosSession session() {
        return daos().session();
    }

    /** Nothing (an empty text) when the command has written its output itself. */
    abstract Answer run();

    @Override
    public Integer call() {
        Answer answer = run();
        Fault fault = answer.fault();
        if (!daos().isJson()) daos().context().out().print(Printable.lines(answer.text()));
        else
            daos().context()
                    .out()
                    .print(fault == null ? Json.success(answer.json()) : Json.failure(answer.json(), fault));
        return fault == null ? 0 : daos().complain(fault);
    }

    static Map<String, @Nullable Object> object(@Nullable Object... pairs) {
        return Json.object(pairs);
    }

    static RuntimeException notBuilt(String what) {
        return Fault.of(FaultCode.NOSYS, "%s is not built yet", what)
                .remedy("none in this release")
                .asException();
    }
}

package io.daosmesh.cli.copy;

import io.daosmesh.admin.view.Json;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.text.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** What a copy has left out because it cannot or must not be copied: a number, and the first of them by name. Any thread. */
public final class Refusals {
    /** More of them say nothing new; a container may hold millions. */
    public static final int SHOWN_MAX = 20;

    private final List<String> paths = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();
    private long count;

    public synchronized void add(String path, String why) {
        count++;
        if (paths.size() == SHOWN_MAX) return;
        paths.add(path);
        reasons.add(why);
    }

    /** Leaves out what the fault is about, if it is its name; else it stays a fault. */
    public <T> Mono<T> orFail(FileTree.Item item, Throwable error) {
        Fault fault = FaultException.faultOf(error);
        if (fault.code() != FaultCode.BADPATH || item.path().isEmpty()) return Mono.error(error);
        add(item.path(), fault.text());
        return Mono.empty();
    }

    public synchronized long count() {
        return count;
    }

    public synchronized void text(StringBuilder to) {
        for (int i = 0; i < paths.size(); i++) {
            to.append("      ").append(shown(i)).append('\n');
        }
        if (count > SHOWN_MAX) to.append("      ...\n");
    }

    /** An unusable path is what a tree has made of it for people; another may hold anything. */
    private String shown(int index) {
        return "'" + Printable.line(paths.get(index)) + "': " + Printable.line(reasons.get(index));
    }

    public synchronized List<Map<String, @Nullable Object>> json() {
        List<Map<String, @Nullable Object>> rows = new ArrayList<>();
        for (int i = 0; i < paths.size(); i++) {
            rows.add(Json.object("path", paths.get(i), "reason", reasons.get(i)));
        }
        return rows;
    }

    /** The first of them with what is wrong. */
    public synchronized Fault fault() {
        String others = count == 1 ? "" : ", and " + (count - 1) + " more";
        return Fault.of(FaultCode.BADPATH, "left out: %s%s", shown(0), others)
                .remedy("give them other names, or remove them; all else has been copied");
    }
}

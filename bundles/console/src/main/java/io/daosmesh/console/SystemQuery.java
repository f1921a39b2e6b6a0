package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.view.RankSelection;
import io.daosmesh.admin.view.SystemView;
import io.daosmesh.admin.view.SystemView.Members;
import java.util.List;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code daos:system-query}, as {@code dmg system query}. */
@Service
@Command(scope = "daos", name = "system-query", description = "States of the members of the system")
public final class SystemQuery extends NodeCommand {
    @Option(name = "-v", aliases = "--verbose", description = "more about each rank")
    boolean verbose;

    @Override
    void run(AdminCalls calls, String here) {
        Members found = RankSelection.ALL.among(calls.systemQuery(List.of()));
        Members members =
                verbose ? found.with(calls.nodeStatus(found.livelyNodes()).replies()) : found;
        show(
                () -> verbose ? SystemView.queryVerbose(members) : SystemView.query(members),
                () -> SystemView.queryJson(members));
    }
}

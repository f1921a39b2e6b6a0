package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.view.SystemView;
import io.daosmesh.admin.view.SystemView.Members;
import io.daosmesh.model.wire.SystemQueryReply;
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
        SystemQueryReply reply = calls.systemQuery(List.of());
        Members found = new Members(
                reply.getGroupMap().getSystem(),
                reply.getGroupMap().getVersion(),
                reply.getGroupMap().getMembersList(),
                List.of(),
                List.of());
        Members members = verbose ? found.with(calls.certificateEnds(found.livelyNodes())) : found;
        show(
                () -> verbose ? SystemView.queryVerbose(members) : SystemView.query(members),
                () -> SystemView.queryJson(members));
    }
}

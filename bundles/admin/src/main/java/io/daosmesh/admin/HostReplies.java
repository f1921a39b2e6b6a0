package io.daosmesh.admin;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.model.fault.Fault;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a fan-out brought back. Immutable.
 *
 * @param replies by address, in the order asked
 * @param errors by address, in the order asked
 */
public record HostReplies<T>(Map<String, T> replies, Map<String, Fault> errors) {
    public HostReplies {
        replies = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(replies));
        errors = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(errors));
    }

    /** Every host asked. */
    public List<String> hosts() {
        List<String> all = new ArrayList<>(replies.keySet());
        all.addAll(errors.keySet());
        return all;
    }

    /** Hosts by equal error text. */
    public Map<String, List<String>> errorGroups() {
        Map<String, List<String>> groups = new TreeMap<>();
        errors.forEach((host, fault) ->
                groups.computeIfAbsent(fault.message(), m -> new ArrayList<>()).add(host));
        return groups;
    }

    /** As shown beside a table row or above a block. */
    public String display(List<String> hosts) {
        return HostList.display(hosts, hosts());
    }
}

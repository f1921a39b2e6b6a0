package io.daosmesh.admin.view;

import io.daosmesh.model.text.Printable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DAOS's tables: titles, a dash below each letter of a title, rows; every cell is padded to the widest of its column and
 * followed by one blank, also the last one; a missing cell reads {@code None}. What is no text in a cell is escaped. Source:
 * daos-admin facts 2.1.
 */
public final class TextTable {
    private final List<String> titles;
    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... titles) {
        this.titles = List.of(titles);
    }

    public TextTable row(@Nullable Object... cells) {
        List<String> row = new ArrayList<>();
        for (int i = 0; i < titles.size(); i++) {
            Object cell = i < cells.length ? cells[i] : null;
            row.add(cell == null ? "None" : Printable.of(cell.toString()));
        }
        rows.add(row);
        return this;
    }

    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /** Ends with a newline. */
    public String render() {
        int[] widths = new int[titles.size()];
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            widths[i] = Math.max(
                    titles.get(i).length(),
                    rows.stream().mapToInt(r -> r.get(column).length()).max().orElse(0));
        }
        StringBuilder out = new StringBuilder();
        line(out, titles, widths);
        line(out, titles.stream().map(t -> "-".repeat(t.length())).toList(), widths);
        rows.forEach(r -> line(out, r, widths));
        return out.toString();
    }

    private static void line(StringBuilder out, List<String> cells, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            out.append(cells.get(i)).append(" ".repeat(widths[i] - cells.get(i).length() + 1));
        }
        out.append('\n');
    }
}

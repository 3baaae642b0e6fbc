"""Readers: each format, headers as people write them, protocols in separate files, and errors that help."""

import builtins

import numpy as np
import pytest
import scipy.io

from jaxmem import protocols
from jaxmem.recordings import (
    command_at,
    parse_units,
    read,
    read_abf,
    read_csv,
    read_mat,
    read_npz,
    read_protocol,
)
from jaxmem.recordings.columns import split_name
from jaxmem.results import InputError

ROWS = "0,-80,1\n0.1,-80,2\n0.2,0,3\n0.3,0,4\n"
V = [-80.0, -80.0, 0.0, 0.0]
I = [1.0, 2.0, 3.0, 4.0]  # noqa: E741


def write(folder, text, name="a.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestCsv:
    @pytest.mark.parametrize(
        ("header", "scale"),
        [
            ("time [ms],voltage [mV],current [pA]", 1),
            ("time_ms,voltage_mV,current_nA", 1000),
            ("t (ms), V (mV), I (nA)", 1000),
            ("Time (ms),Vm (mV),Im (uA)", 1e6),
            ('"time [ms]","command voltage [mV]","membrane current [pA]"', 1),
            ("time [msec],V_command [mV],IN 0 [pA]", 1),
            ("t/ms,Vcmd/mV,trace/pA", 1),
            ("Time [ms],Potential [mV],I_K [µA]", 1e6),
        ],
    )
    def test_headers(self, header, scale, tmp_path):
        r = read(write(tmp_path, f"{header}\n{ROWS}"))
        np.testing.assert_allclose(r.t, [0, 0.1, 0.2, 0.3], atol=1e-12)
        np.testing.assert_array_equal(r.command_v, [V])
        np.testing.assert_allclose(r.current, scale * np.array([I]))
        assert (r.unit, r.name, r.source) == ("pA", "a", str(tmp_path / "a.csv"))

    @pytest.mark.parametrize(
        "text",
        [
            "\ufefftime [ms],voltage [mV],current [pA]\n" + ROWS,
            "# rig 2\n\n  # cell 4\ntime [ms],voltage [mV],current [pA]\n" + ROWS + "\n\n",
            ("time [ms],voltage [mV],current [pA]\n" + ROWS).replace(",", ";"),
            ("time [ms],voltage [mV],current [pA]\n" + ROWS).replace(",", "\t"),
            "time_ms voltage_mV current_pA\n" + ROWS.replace(",", "  "),
            ("time [ms],voltage [mV],current [pA]\n" + ROWS).replace("\n", "\r\n"),
            ("time [ms],voltage [mV],current [pA],\n" + ROWS.replace("\n", ",\n")),
            "time [ms],voltage [mV],current [pA],note\n" + ROWS.replace("\n", ",hello\n"),
            't [ms],v [mV],i [pA]\n"0","-80","1"\n"0.1","-80","2"\n"0.2","0","3"\n"0.3","0","4"\n',
        ],
    )
    def test_the_odd_forms_of_files(self, text, tmp_path):
        r = read_csv(write(tmp_path, text))
        np.testing.assert_array_equal(r.current, [I])
        np.testing.assert_array_equal(r.command_v, [V])

    def test_utf16_and_latin1(self, tmp_path):
        text = "time [ms],voltage [mV],current [µA]\n" + ROWS
        for encoding in ("utf-16", "latin-1"):
            r = read(write(tmp_path, text.encode(encoding)))
            np.testing.assert_allclose(r.current, 1e6 * np.array([I]))

    def test_several_current_columns_are_sweeps(self, tmp_path):
        text = "time [s],voltage [mV],current [pA],current_2 [nA]\n0,-80,1,1\n0.001,0,2,3\n"
        r = read(write(tmp_path, text))
        np.testing.assert_allclose(r.t, [0, 1])
        np.testing.assert_allclose(r.current, [[1, 2], [1000, 3000]])
        np.testing.assert_allclose(r.command_v, [[-80, 0], [-80, 0]])

    def test_one_voltage_column_per_sweep(self, tmp_path):
        text = "t_ms,voltage_1 [mV],voltage_2 [mV],current_1 [pA],current_2 [pA]\n0,-80,-70,1,3\n1,0,10,2,4\n"
        r = read(write(tmp_path, text))
        np.testing.assert_allclose(r.command_v, [[-80, 0], [-70, 10]])
        np.testing.assert_allclose(r.current, [[1, 2], [3, 4]])

    @pytest.mark.parametrize("second", [0, 500])
    def test_a_sweep_column(self, second, tmp_path):
        text = f"sweep,t_ms,v_mV,i_pA\n1,0,-80,1\n1,1,0,2\n2,{second},-80,3\n2,{second + 1},20,4\n"
        r = read(write(tmp_path, text))
        np.testing.assert_allclose(r.t, [0, 1])
        np.testing.assert_allclose(r.current, [[1, 2], [3, 4]])
        np.testing.assert_allclose(r.command_v, [[-80, 0], [-80, 20]])

    def test_units_from_the_caller(self, tmp_path):
        path = write(tmp_path, "time,voltage,current\n" + ROWS)
        r = read(path, units=parse_units("time=s, voltage=V,current=nA"))
        np.testing.assert_allclose(r.t, [0, 100, 200, 300])
        np.testing.assert_allclose(r.current, 1000 * np.array([I]))
        np.testing.assert_allclose(r.command_v, 1000 * np.array([V]))

    def test_no_time_column_but_an_interval(self, tmp_path):
        r = read(write(tmp_path, "voltage_mV,current_pA\n-80,1\n0,2\n"), dt=0.5)
        np.testing.assert_allclose(r.t, [0, 0.5])

    @pytest.mark.parametrize(
        ("name", "unit", "factor"),
        [("conductance [S/cm2]", "mS/cm2", 1e3), ("g_uS", "nS", 1e3), ("current [mA/cm2]", "uA/cm2", 1e3)],
    )
    def test_signals_of_other_kinds_are_scaled_to_the_units_of_models(self, name, unit, factor, tmp_path):
        r = read(write(tmp_path, f"time [ms],voltage [mV],{name}\n{ROWS}"))
        assert r.unit == unit
        np.testing.assert_allclose(r.current[0], factor * np.array(I))

    @pytest.mark.parametrize("unit", ["mS/cm2", "pA/pF", "nS"])
    def test_densities_keep_their_unit(self, unit, tmp_path):
        name = "conductance" if "S" in unit else "current"
        r = read(write(tmp_path, f"time [ms],voltage [mV],{name} [{unit}]\n{ROWS}"))
        assert r.unit == unit
        np.testing.assert_array_equal(r.current, [I])

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("time,voltage [mV],current [pA]\n" + ROWS, r"--units time=ms"),
            ("time [ms],voltage [mV],current\n" + ROWS, r"--units current=pA"),
            ("time [parsec],voltage [mV],current [pA]\n" + ROWS, "parsec"),
            ("time [ms],voltage [mV],current [mV]\n" + ROWS, "unit like pA"),
            ("time [mV],voltage [mV],current [pA]\n" + ROWS, "unit like ms"),
            ("time [ms],voltage [mV],pressure [Pa]\n" + ROWS, "has no current"),
            ("time [ms],pressure [Pa],current [pA]\n" + ROWS, "no command voltage.*--protocol"),
            ("voltage [mV],current [pA]\n-80,1\n0,2\n", "has no times"),
            (ROWS, "line 1 must name the columns"),
            ("", "is empty"),
            ("time [ms],voltage [mV],current [pA]\n", "rows of numbers"),
            ("time [ms],voltage [mV],current [pA]\n0,-80,1\n0.1,-80,x\n", "line 3, column 'current.*'x'"),
            ("time [ms],voltage [mV],current [pA]\n# c\n0,-80,1\n0.1,-80\n", "line 4 has 2 cells"),
            (
                "time [ms],voltage [mV],current [pA]\n0,-80,nan\n0.1,-80,1\n",
                "line 2, column 'current.*finite",
            ),
            ("time [ms],voltage [mV],current [pA]\n0,-80,\n0.1,-80,1\n", "line 2, column 'current"),
            ("time [ms];voltage [mV];current [pA]\n0;-80;1,5\n0,1;-80;1\n", "decimal points"),
            ("time [ms],voltage [mV],current [pA]\n0,-80,1\n0,-80,1\n", "time must increase"),
            ("time [ms],time [s],voltage [mV],current [pA]\n0,0,0,0\n1,1,1,1\n", "2 time columns"),
            ("time [ms],voltage [mV],current [pA],current [pA/pF]\n0,0,0,0\n1,1,1,1\n", "share their unit"),
            ("sweep,time_ms,voltage_mV,current_pA\n1,0,0,0\n1,1,0,0\n2,2,0,0\n", "equal length"),
            (
                "sweep,time_ms,voltage_mV,current_pA\n1,0,0,0\n2,1,0,0\n1,2,0,0\n2,2,0,0\n",
                "follow each other",
            ),
            ("sweep,time_ms,voltage_mV,current_pA\n1,0,0,0\n1,1,0,0\n2,0,0,0\n2,3,0,0\n", "same times"),
            (b"time\0voltage\0\0", "unknown format"),
        ],
    )
    def test_errors_say_where_and_what_to_do(self, text, words, tmp_path):
        path = write(tmp_path, text)
        with pytest.raises(InputError, match=words) as error:
            read(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)

    def test_a_unit_said_twice(self, tmp_path):
        path = write(tmp_path, "time [ms],voltage [mV],current [pA]\n" + ROWS)
        assert read(path, units={"time": "ms"}).dt == pytest.approx(0.1)
        with pytest.raises(InputError, match="already says"):
            read(path, units={"time": "s"})

    def test_parse_units_refuses_half_pairs(self):
        assert parse_units("time=s") == {"time": "s"}
        for text in ("", "time", "time=,current=nA", "=s"):
            with pytest.raises(InputError, match="name=unit"):
                parse_units(text)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("I (nA)", ("I", "nA")),
            ("I_nA", ("I", "nA")),
            ("I_K", ("I_K", None)),
            ("I_h", ("I_h", None)),
            ("I_A", ("I_A", None)),
            ("current_A", ("current", "A")),
            ("current_2", ("current_2", None)),
            ("current_1", ("current_1", None)),
            ("t_s", ("t", "s")),
            ("g [mS/cm2]", ("g", "mS/cm2")),
            ("Trace #1 (pA)", ("Trace #1", "pA")),
        ],
    )
    def test_split_name(self, text, expected):
        assert split_name(text) == expected


class TestProtocolFiles:
    t = np.arange(0, 10, 0.5)

    def test_step_table(self, tmp_path):
        path = write(tmp_path, "start_ms,duration_ms,voltage_mV\n0,2,-80\n2,4,20\n6,4,-40\n")
        expected = np.where(self.t < 2, -80, np.where(self.t < 6, 20, -40))
        np.testing.assert_array_equal(command_at(path, self.t), [expected])

    def test_steps_and_ramps(self, tmp_path):
        header = "start_ms,duration_ms,v_start_mV,v_end_mV,kind\n"
        text = header + "0,2,-80,-80,hold\n2,4,-120,-80,ramp\n6,4,40,40,step\n"
        v = command_at(write(tmp_path, text), self.t)[0]
        np.testing.assert_allclose(v[self.t < 2], -80)
        np.testing.assert_allclose(v[(self.t >= 2) & (self.t < 6)], -120 + 10 * np.arange(0, 4, 0.5))
        np.testing.assert_allclose(v[self.t >= 6], 40)

    def test_the_same_as_a_protocol(self, tmp_path):
        rows = [(0.0, 2.0, -80.0, -80.0), (2.0, 4.0, -120.0, -80.0), (6.0, 4.0, 40.0, 40.0)]
        text = "start_s,duration_s,v_start_V,v_end_V\n" + "".join(
            ",".join(f"{x / 1000!r}" for x in row) + "\n" for row in rows
        )
        t = self.t + 0.2  # off the edges, where a rounded time could fall to either side
        t = t[t < 10]
        np.testing.assert_allclose(
            command_at(write(tmp_path, text), t)[0], protocols.from_table(rows)(t), rtol=1e-12
        )

    def test_samples_with_their_own_times_are_held(self, tmp_path):
        path = write(tmp_path, "time_ms,voltage_mV\n0,-80\n2,20\n2.2,-40\n12,-40\n")
        v = command_at(path, self.t)[0]
        np.testing.assert_array_equal(v, np.where(self.t < 2, -80, np.where(self.t < 2.2, 20, -40)))

    def test_arrays_and_protocols(self):
        p = protocols.step(-80.0, 2.0) + protocols.step(20.0, 8.0)
        np.testing.assert_array_equal(command_at(p, self.t), [p(self.t)])
        np.testing.assert_array_equal(command_at(p(self.t), self.t), [p(self.t)])
        family = protocols.sweeps([p, protocols.step(0.0, 10.0)])
        np.testing.assert_array_equal(command_at(family, self.t, 2)[1], np.zeros(20))
        with pytest.raises(InputError, match="has 2"):
            command_at(family, self.t, 3)
        with pytest.raises(InputError, match="one voltage per sample"):
            command_at([1.0, 2.0], self.t)
        with pytest.raises(InputError, match="must be a path"):
            command_at({"a": 1}, self.t)

    def test_a_separate_file_goes_before_the_column(self, tmp_path):
        path = write(tmp_path, "time [ms],voltage [mV],current [pA]\n" + ROWS)
        steps = write(tmp_path, "start_ms,duration_ms,voltage_mV\n0,5,11\n", "steps.csv")
        np.testing.assert_array_equal(read(path, steps).command_v, 11.0)

    def test_the_command_of_a_protocol_is_not_sampled(self, tmp_path):
        path = write(tmp_path, "time [ms],current [pA]\n0,1\n1,2\n2,3\n3,4\n")
        steps = write(tmp_path, "start_ms,duration_ms,v_start_mV,v_end_mV\n0,1.3,-80,-80\n1.3,3,-80,40\n", "s.csv")
        ramp = protocols.step(-80.0, 1.3) + protocols.ramp(-80.0, 40.0, 3.0)
        at = np.linspace(0.0, 4.2, 43)
        for given in (steps, ramp):
            command = read(path, given).command.sweep(0)
            np.testing.assert_allclose(command(at), ramp(at), atol=1e-12)
        family = protocols.parse("step from -80 to 40 mV in 120 mV steps for 4 ms")
        assert read(path, family.sweep(1).held_at(-80.0)).command.holding.tolist() == [-80.0]

    def test_samples_may_be_joined_by_lines(self, tmp_path):
        path = write(tmp_path, "time [ms],voltage [mV],current [pA]\n" + ROWS)
        v = write(tmp_path, "time [ms],voltage [mV]\n0,-80\n0.2,0\n0.2,40\n0.4,40\n", "v.csv")
        assert float(read(path).command.sweep(0)(0.15)) == -80.0
        assert float(read(path, held=False).command.sweep(0)(0.15)) == pytest.approx(-40.0)
        joined = read(path, v, held=False).command.sweep(0)
        np.testing.assert_allclose(joined(np.array([0.05, 0.1, 0.2, 0.3])), [-60.0, -40.0, 40.0, 40.0])
        np.testing.assert_allclose(read(path, v).command_v[0], [-80.0, -80.0, 40.0, 40.0])

    def test_read_protocol(self, tmp_path):
        scipy.io.savemat(tmp_path / "v.mat", {"voltage_mV": np.array([[-80.0, -80.0, 20.0]])})
        p = read_protocol(tmp_path / "v.mat", dt=0.5)
        np.testing.assert_array_equal(p(np.array([0.0, 0.9, 1.0])), [-80.0, -80.0, 20.0])
        with pytest.raises(InputError, match="has no times"):
            read_protocol(tmp_path / "v.mat")
        two = write(tmp_path, "time_ms,V_1 [mV],V_2 [mV]\n0,-80,10\n1,20,20\n2,20,20\n", "two.csv")
        assert read_protocol(two).holding.tolist() == [-80.0, -80.0]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("start_ms,duration_ms,voltage_mV\n0,2,-80\n3,7,20\n", "line 3: each row must start"),
            ("start_ms,duration_ms,voltage_mV\n0,2,-80\n1,9,20\n", "line 3: each row must start"),
            ("start_ms,duration_ms,voltage_mV\n0,2,-80\n2,0,20\n", "line 3: a duration must be positive"),
            ("start_ms,duration_ms,voltage_mV\n0,2,-80\n2,2,20\n", "must cover the recording"),
            ("start_ms,duration_ms,voltage_mV\n0,2,\n", "line 2, column 'voltage_mV'"),
            ("start,duration,voltage\n0,2,-80\n", "must say its unit"),
            ("start_ms,duration_ms\n0,2\n", "must have the columns"),
            ("time_ms,current_pA\n0,1\n20,2\n", "must have columns"),
            ("time_ms,voltage_mV\n0,1\n2,2\n", "must cover the recording"),
            ("time_ms,voltage_mV\n0,1\n2,2\n1,3\n20,4\n", "must not decrease"),
        ],
    )
    def test_errors(self, text, words, tmp_path):
        with pytest.raises(InputError, match=words):
            command_at(write(tmp_path, text), self.t)


class TestNpzAndMat:
    def test_npz(self, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, current_nA=np.float32([[1, 2], [3, 4]]), voltage_mV=np.int16([-80, 0]), dt_s=1e-4)
        r = read(path, name="cell 1", temperature=295.0)
        np.testing.assert_allclose(r.current, [[1000, 2000], [3000, 4000]])
        np.testing.assert_allclose(r.command_v, [[-80, 0], [-80, 0]])
        assert (r.dt, r.name, r.temperature) == (pytest.approx(0.1), "cell 1", 295.0)

    def test_npz_with_times(self, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, i=[1.0, 2.0], v=[0.0, 1.0], t=[0.0, 3.0])
        r = read_npz(path, units={"i": "pA", "v": "mV", "t": "ms"})
        np.testing.assert_allclose(r.t, [0, 3])

    @pytest.mark.parametrize(
        ("arrays", "words"),
        [
            ({"voltage_mV": [1.0, 2.0]}, "has no current"),
            ({"current_pA": [1.0, 2.0], "dt_ms": 0.1}, "no command voltage"),
            ({"current_pA": [1.0, 2.0], "voltage_mV": [1.0, 2.0]}, "has no times"),
            ({"current_pA": [1.0, 2.0], "voltage_mV": [1.0], "dt_ms": 0.1}, "must have shape"),
            ({"current_pA": [1.0, np.nan], "voltage_mV": [1.0, 2.0], "dt_ms": 0.1}, "sample 1"),
            ({"current_pA": [1.0, 2.0], "voltage_mV": [1.0, 2.0], "dt_ms": -0.1}, "positive"),
            ({"current_pA": [1.0, 2.0], "current_nA": [1.0, 2.0], "dt_ms": 0.1}, "second current"),
            ({"current_pA": np.zeros((2, 2, 2)), "dt_ms": 0.1}, "must have shape"),
            ({"current_pA": [1.0, 1e30], "voltage_mV": [1.0, 2.0], "dt_ms": 0.1}, "no measurement"),
        ],
    )
    def test_npz_errors(self, arrays, words, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=words):
            read(path)

    def test_mat(self, tmp_path):
        path, command = tmp_path / "a.mat", tmp_path / "p.mat"
        scipy.io.savemat(path, {"T": np.array([[1.0], [2.0], [3.0]])})
        scipy.io.savemat(command, {"T": np.array([[-80.0], [0.0], [10.0]])})
        r = read(path, command, units={"current": "nA", "voltage": "mV"}, dt=0.1)
        np.testing.assert_allclose(r.current, [[1000, 2000, 3000]])
        np.testing.assert_allclose(r.command_v, [[-80, 0, 10]])

    def test_mat_with_named_variables_and_sweeps(self, tmp_path):
        path = tmp_path / "a.mat"
        i = np.arange(12.0).reshape(4, 3)
        scipy.io.savemat(path, {"current_pA": i, "voltage_mV": np.zeros(4), "dt_ms": 0.5, "note": "text"})
        r = read(path)
        np.testing.assert_allclose(r.current, i.T)
        assert r.dt == 0.5
        scipy.io.savemat(path, {"trace7": i, "other": np.zeros(4)})
        r = read_mat(path, np.zeros(4), variable="trace7", units={"current": "pA"}, dt=1.0)
        np.testing.assert_allclose(r.current, i.T)

    def test_mat_errors(self, tmp_path):
        path = tmp_path / "a.mat"
        scipy.io.savemat(path, {"T": np.ones(3)})
        with pytest.raises(InputError, match="--units current=pA"):
            read(path, np.zeros(3), dt=0.1)
        with pytest.raises(InputError, match="has no times"):
            read(path, np.zeros(3), units={"current": "pA"})
        with pytest.raises(InputError, match="no numeric variable 'x'"):
            read(path, np.zeros(3), variable="x")
        scipy.io.savemat(path, {"a": np.ones(3), "b": np.ones(3)})
        with pytest.raises(InputError, match="variable="):
            read(path, np.zeros(3), units={"current": "pA"}, dt=0.1)
        scipy.io.savemat(path, {"a": np.array([1 + 2j, 3.0])})
        with pytest.raises(InputError, match="complex"):
            read(path, np.zeros(2), units={"current": "pA"}, dt=0.1)
        scipy.io.savemat(path, {"a": {"b": 1.0}})
        with pytest.raises(InputError, match="real numbers, only struct"):
            read(path)


class TestDispatch:
    def test_content_and_ending_must_agree(self, tmp_path):
        np.savez(tmp_path / "a.npz", current_pA=[1.0, 2.0])
        (tmp_path / "a.npz").rename(tmp_path / "a.csv")
        with pytest.raises(InputError, match=r"a\.csv: ends in \.csv but .* NPZ"):
            read(tmp_path / "a.csv")

    def test_any_ending_will_do_for_a_known_format(self, tmp_path):
        r = read(write(tmp_path, "time [ms],voltage [mV],current [pA]\n" + ROWS, "trace.export"))
        assert r.t.size == 4

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (b"\x93NUMPY\x01\x00", "savez"),
            (b"DAT2\0\0", "HEKA"),
            (b"\x00\x01\x02\x03", "readable are CSV tables, NPZ archives, MATLAB"),
            (b"ATF\t1.0\n", "Axon text"),
        ],
    )
    def test_unknown_formats_say_what_is_readable(self, raw, words, tmp_path):
        with pytest.raises(InputError, match=words):
            read(write(tmp_path, raw, "a.bin"))

    def test_missing_files_and_folders(self, tmp_path):
        with pytest.raises(InputError, match="no such file"):
            read(tmp_path / "nothing.csv")
        with pytest.raises(InputError, match="is not a file"):
            read(tmp_path)

    def test_arguments_without_meaning(self, tmp_path):
        path = write(tmp_path, "time [ms],voltage [mV],current [pA]\n" + ROWS)
        with pytest.raises(InputError, match="channel"):
            read(path, channel=0)
        with pytest.raises(InputError, match="variable"):
            read(path, variable="T")


class TestAbf:
    """Four real files; the steps are those that their description states."""

    @pytest.fixture
    def folder(self, shared):
        pytest.importorskip("pyabf")
        return shared / "data" / "pyabf_real_abf_files"

    def test_steps_of_a_neuron(self, folder):
        r = read(folder / "17o05024_vc_steps.abf")
        assert (r.sweeps, r.t.size, r.dt, r.unit) == (7, 70_000, pytest.approx(0.05), "pA")
        np.testing.assert_allclose(r.command_v[:, 0], -70.0)
        np.testing.assert_allclose(r.command_v[:, 15_000], np.arange(-110.0, -49.0, 10.0))

    def test_the_memtest_step_lies_where_it_was_applied(self, folder):
        r = read(folder / "model_vc_step.abf")
        assert (r.sweeps, r.t.size) == (20, 10_000)
        expected = np.full(10_000, -70.0)
        expected[156:4156] = -80.0
        np.testing.assert_array_equal(r.command_v, np.broadcast_to(expected, (20, 10_000)))
        # Before the step the current is still, 10 samples after it the capacitance charges.
        i = r.current.mean(axis=0)
        assert abs(i[156] - i[100]) < 5.0 and i[170] - i[156] < -50.0

    def test_abf1_and_the_choice_of_a_channel(self, folder):
        path = folder / "05210017_vc_abf1.abf"
        with pytest.raises(InputError, match="channel=0"):
            read(path)
        for channel in (0, 1):
            r = read(path, channel=channel)
            assert (r.sweeps, r.t.size) == (6, 60_000)
            assert np.flatnonzero(r.command_v[0] == -80.0)[[0, -1]].tolist() == [1037, 2036]
            assert np.unique(r.command_v).tolist() == [-80.0, -70.0]
        with pytest.raises(InputError, match="no channel 2"):
            read(path, channel=2)
        with pytest.raises(InputError, match="no output 9"):
            read_abf(path, channel=0, dac=9)

    def test_ramps(self, folder):
        r = read(folder / "171116sh_0013.abf")
        assert r.sweeps == 13
        np.testing.assert_allclose(r.command_v[:, -1], np.arange(-110.0, -49.0, 5.0))
        first = r.command_v[0]
        assert jump_free(first) and first[0] == -70.0 and first[1400] == -110.0
        np.testing.assert_allclose(
            r.command_v[1:, 0], r.command_v[:-1, -1]
        )  # each starts where the last one ended

    def test_the_values_are_those_of_pyabf(self, folder):
        import pyabf

        r = read(folder / "17o05024_vc_steps.abf")
        abf = pyabf.ABF(str(folder / "17o05024_vc_steps.abf"))
        for sweep in range(7):
            abf.setSweep(sweep)
            np.testing.assert_array_equal(r.current[sweep], abf.sweepY.astype(float))
            np.testing.assert_array_equal(r.command_v[sweep], abf.sweepC)

    def test_another_command_replaces_the_one_of_the_file(self, folder, tmp_path):
        steps = write(tmp_path, "start_ms,duration_ms,voltage_mV\n0,500,-33\n", "steps.csv")
        assert np.unique(read(folder / "model_vc_step.abf", steps).command_v).tolist() == [-33.0]

    def test_current_clamp_is_refused(self, folder, tmp_path):
        raw = (folder / "model_vc_step.abf").read_bytes()
        assert raw.count(b"\0pA\0") == 1
        path = write(tmp_path, raw.replace(b"\0pA\0", b"\0mV\0"), "cc.abf")
        with pytest.raises(InputError, match="current clamp"):
            read(path)
        with pytest.raises(InputError, match="channel 0 is in mV"):
            read(path, channel=0)

    def test_without_pyabf_the_extra_is_named(self, folder, monkeypatch):
        original = builtins.__import__

        def absent(name, *args, **kwargs):
            if name == "pyabf":
                raise ImportError(name)
            return original(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", absent)
        with pytest.raises(InputError, match=r"install jaxmem\[io\]"):
            read(folder / "model_vc_step.abf")

    def test_dt_is_not_for_abf(self, folder):
        with pytest.raises(InputError, match="leave dt out"):
            read(folder / "model_vc_step.abf", dt=0.1)


def jump_free(v):
    return np.abs(np.diff(v)).max() < 0.2


class TestPublishedRecordings:
    def test_sine_wave_of_cell_5(self, shared):
        mirror = shared / "data" / "mirror" / "mirams" / "sine-wave"
        mirror = mirror / "54ca435db5f886577a9bcd83946805869e9dc377"
        name = "sine_wave_16713110_dofetilide_subtracted_leak_subtracted.mat"
        r = read(
            mirror / "ExperimentalData" / "16713110" / name,
            mirror / "Protocols" / "sine_wave_protocol.mat",
            units={"current": "nA", "voltage": "mV"},
            dt=0.1,
        )
        assert (r.sweeps, r.t.size) == (1, 80_000)
        s = 1000.0
        expected = -30 + 54 * np.sin(0.007 * s) + 26 * np.sin(0.037 * s) + 10 * np.sin(0.190 * s)
        assert np.abs(r.command_v[0, 34_990:35_011] - expected).min() < 0.2
        assert np.count_nonzero(~r.blank().mask) == 8 * 50

    def test_two_forms_of_one_protocol(self, shared):
        folder = shared / "data" / "beattie_2018_herg"
        current = folder / "currents" / "cell1_steady_activation.npz"
        a = read(current, folder / "protocols" / "steady_activation_command_mV.npz")
        b = read(current, folder / "protocols" / "steady_activation_steps.csv")
        np.testing.assert_array_equal(a.command_v, b.command_v)

    def test_a_table_without_voltages(self, shared):
        folder = shared / "data" / "beattie_2018_herg" / "protocols"
        with pytest.raises(InputError, match="line 2, column 'voltage_mV'"):
            command_at(folder / "ap_steps.csv", np.arange(10.0))

    def test_staircase_with_ramps(self, shared):
        folder = shared / "data" / "lei_2020_syncropatch_staircase"
        r = read(folder / "herg25oc1_A13_before_E4031.npz", folder / "staircase_steps.csv")
        at = lambda t: r.command_v[0, round(t / 0.2)]
        assert (at(0), at(260), at(1000), at(2000)) == (-80, -120, 40, -120)
        assert at(500) == pytest.approx(-100.0) and r.unit == "pA"

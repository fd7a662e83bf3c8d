"""The bar that keras shows."""

import millstream as ms


def test_bars_show_means_and_fill(capsys):
    bar = ms.keras.utils.Progbar(4, width=8, interval=0, stateful_metrics=["rate"])
    bar.update(1, [("loss", 2.0), ("rate", 0.5)])
    bar.add(1, [("loss", 4.0), ("rate", 0.25)])
    bar.update(4, [("loss", 6.0)])
    first, second, last = capsys.readouterr().out.split("\r")[1:]
    assert "1/4 [=>......]" in first and "loss: 2.0000 - rate: 0.5000" in first and "ETA: " in first
    assert "2/4 [===>....]" in second and "loss: 3.0000 - rate: 0.2500" in second
    assert "4/4 [========]" in last and "loss: 4.5000" in last and last.endswith("\n")
    ms.keras.utils.Progbar(None, verbose=1).update(7)
    assert "7/Unknown" in capsys.readouterr().out
    quiet = ms.keras.utils.Progbar(2, verbose=2)
    quiet.update(1)
    assert capsys.readouterr().out == ""
    quiet.update(2, [("loss", 1.0)])
    assert capsys.readouterr().out == "2/2 - 0s - loss: 1.0000\n"

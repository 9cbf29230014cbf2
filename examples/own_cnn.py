"""A CNN of your own on images: its number of filters and its schedule in one search.

    python examples/own_cnn.py                               # CIFAR-10's cats and dogs: minutes
    python examples/own_cnn.py --data synthetic --epochs 3 --images 400

`--data` may also be a folder of images, one sub-folder per class, or an .npz file.
"""

from __future__ import annotations

import argparse

import keras

import lrtune


def build_model(hp, input_shape, num_classes):
    """A model that is not compiled: lrtune compiles it with Adam and a schedule."""
    filters = hp.Choice("filters", [8, 16])
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(2 * filters, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.25)),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="auto", help="see python -m lrtune.search --help")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--images", type=int, help="train on this many images only")
    parser.add_argument("--folder", default="runs", help="where the run folder goes")
    arguments = parser.parse_args()

    images = lrtune.load_data(arguments.data)
    if arguments.images is not None:
        images = images.subset(train=arguments.images, validation=arguments.images // 4)

    def build(hp):
        return build_model(hp, images.input_shape, images.num_classes)

    hypermodel = lrtune.ScheduleHyperModel(
        build, epochs=arguments.epochs, families=["cosine", "step"], optimizer="adam"
    )
    tuner = lrtune.Hyperband(
        hypermodel,
        objective="val_accuracy",
        max_epochs=arguments.epochs,
        directory=arguments.folder,
        project_name="own-cnn",
        seed=1,
    )
    validation = (images.validation.x, images.validation.y)
    tuner.search(images.train.x, images.train.y, validation_data=validation, batch_size=64)

    run = lrtune.load_run(f"{arguments.folder}/own-cnn")
    print(f"\n{run.verdict()}")
    if choice := run.recommendation():
        print(f"\nThe recommended choice in plain Keras:\n\n{choice.code()}")


if __name__ == "__main__":
    main()

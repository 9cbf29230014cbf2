"""The situations in which a person brings a model and data of their own, each a short script.

Where Keras can do the same, the best trial must have the numbers that Keras gets with the code that
the run prints; a fault must be named in exactly one sentence. `test_table.py` checks this table.

| situation | test |
|---|---|
| a functional model, NumPy arrays | test_models.py::test_a_functional_model_on_numpy_arrays_promoted_by_hyperband |
| a subclassed model | test_models.py::test_a_subclassed_model_that_learns_its_shape_from_the_data |
| a train_step of one's own | test_models.py::test_a_train_step_of_ones_own |
| inputs, outputs, losses, weights by list | test_models.py::test_several_inputs_and_outputs_by_list |
| inputs, outputs, losses, weights by dict | test_models.py::test_several_inputs_and_outputs_by_dict |
| frozen layers | test_models.py::test_layers_that_are_frozen_keep_their_weights |
| text | test_models.py::test_text_that_the_model_itself_turns_into_numbers |
| a nested metric as the objective | test_models.py::test_a_metric_of_one_output_as_the_objective_by_its_name |
| pandas frames | test_data.py::test_pandas_frames |
| tf.data that ends | test_data.py::test_a_dataset_that_ends |
| endless tf.data | test_data.py::test_an_endless_dataset_with_steps_per_epoch |
| a PyDataset | test_data.py::test_a_pydataset_that_changes_with_each_epoch |
| a generator | test_data.py::test_a_function_that_makes_a_generator |
| sample weights | test_data.py::test_sample_weights_also_of_the_validation_data |
| class weights | test_data.py::test_class_weights |
| validation_split | test_data.py::test_a_validation_split |
| data that workers cannot receive | test_data.py::test_data_that_cannot_be_sent_to_workers_train_in_this_process |
| checkpoints and logs that trials would share | test_faults.py::test_callbacks_that_write_files_get_a_folder_for_each_trial |
| one unit and no loss | ../search/test_preflight.py::FAULTS[one unit] |
| logits and no loss | ../search/test_preflight.py::FAULTS[logits] |
| labels out of range | ../search/test_preflight.py::FAULTS[a class too many] |
| labels of another length than x | ../search/test_preflight.py::FAULTS[labels of another length] |
| labels that are strings | ../search/test_preflight.py::FAULTS[labels as text] |
| text or dates among the numbers of x | ../search/test_preflight.py::FAULTS[text beside numbers] |
| NaN in y | ../search/test_preflight.py::FAULTS[NaN in y] |
| infinity in one of several inputs | ../search/test_preflight.py::FAULTS[infinity in the second input] |
| an objective that is not measured | ../search/test_preflight.py::FAULTS[objective that is not measured] |
| a metric with a value for each class | ../search/test_preflight.py::FAULTS[metric with a value for each class] |
| mixed precision, in workers too | ../model/test_describe.py::test_the_dtype_policy_is_recorded_and_reaches_the_workers |
| the minutes, after an epoch | ../display/test_displays.py::test_the_minutes_are_told_once_an_epoch_has_been_timed_unless_they_are_seconds |
| no validation data for the objective | ../search/test_preflight.py::FAULTS[no validation data] |
| callbacks that set the rate | ../search/test_preflight.py::test_a_callback_that_fights_the_search_is_refused |
"""  # noqa: E501 - a row of a table is one line
